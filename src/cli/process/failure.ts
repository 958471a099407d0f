import { ConfigError } from '../../config/parse.ts';
import { LabFailure } from '../../lab/failure.ts';
import { IpFailed } from '../../linux/ip.ts';
import { CommandFailed } from '../../linux/run.ts';
import { WaitTimeout } from '../../time/wait.ts';

/** Exit code for an invalid command line. */
export const EXIT_USAGE = 2;

/** A failure of a command; its message is printed unmodified. */
export class CliFailure extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode = 1) {
    super(message);
    this.name = 'CliFailure';
    this.exitCode = exitCode;
  }
}

/** An invalid command line. */
export class UsageFailure extends CliFailure {
  constructor(message: string) {
    super(message, EXIT_USAGE);
  }
}

/** Returns the exit code for an error. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof ConfigError) return EXIT_USAGE;
  return error instanceof CliFailure ? error.exitCode : 1;
}

/** Primary result codes (https://sqlite.org/rescode.html) whose cause an operator can fix. */
const SQLITE_FAILURES: Readonly<Record<number, string>> = {
  8: 'cannot be written: the file or its disk is read-only',
  10: 'cannot be read or written: the disk is faulty or full',
  11: 'is damaged; restore a backup, or move it away to start with an empty one',
  13: 'cannot be written: no space left on its disk',
  14: 'cannot be opened: a folder is missing, permission is denied, or its disk is read-only',
  26: 'is not an SQLite database; restore a backup, or move it away to start with an empty one',
};

function explainSqlite(error: Error): string | undefined {
  const { errcode, path } = error as { readonly errcode?: unknown; readonly path?: string };
  if (typeof errcode === 'number') {
    const known = SQLITE_FAILURES[errcode & 0xff];
    return known && `${path ?? 'the database'} ${known}`;
  }
  return error.cause instanceof Error ? explainSqlite(error.cause) : undefined;
}

/** Returns the text to print for an error: one clear line if the cause is known, the whole stack if it is not. */
export function explainFailure(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Each invalid option has its own line.
  if (error instanceof ConfigError) return error.message.replaceAll('\n', '\nneutrino: ');
  if ([CliFailure, LabFailure, CommandFailed, IpFailed, WaitTimeout].some((known) => error instanceof known)) {
    return error.message;
  }
  const sqlite = explainSqlite(error);
  if (sqlite !== undefined) return sqlite;
  const { code, syscall, address, port, path } = error as NodeJS.ErrnoException & { address?: string; port?: number };
  if (syscall === 'listen' || syscall === 'bind') {
    // Node omits port 0.
    return explainListenFailure(code, port === undefined ? `${address}` : `${address}:${port}`, error);
  }
  if (syscall === 'getaddrinfo') return `${error.message}: no such host name (--bind-host)`;
  if (code === 'ENOSPC') return `no space left on the disk${path ? ` that holds ${path}` : ''}`;
  if ((code === 'EACCES' || code === 'EPERM' || code === 'EROFS') && path) return `${path}: ${error.message}`;
  return error.stack ?? error.message;
}

function explainListenFailure(code: string | undefined, where: string, error: Error): string {
  switch (code) {
    case 'EADDRINUSE':
      return `${where} is in use by another program; choose another port with --bind-port, or stop that program (ss -ltnp shows it)`;
    case 'EADDRNOTAVAIL':
      return `${where}: this machine does not have that address; choose one of its addresses with --bind-host`;
    case 'EACCES':
      return `${where}: ports below 1024 need root; choose another with --bind-port`;
    default:
      return `${where}: ${error.message}`;
  }
}
