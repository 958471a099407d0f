import { ConfigError } from '../../config/parse.ts';
import { IpFailed } from '../../linux/ip.ts';
import { CommandFailed } from '../../linux/run.ts';

/** A command of the command line that cannot do its work; the message is told to the operator as it stands. */
export class CliFailure extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode = 1) {
    super(message);
    this.name = 'CliFailure';
    this.exitCode = exitCode;
  }
}

/** What the process ends with. */
export const exitCodeOf = (error: unknown): number => (error instanceof CliFailure ? error.exitCode : 1);

/** What the operator is told of an error: one clear line where the cause is known, the whole stack where it is not. */
export function explainFailure(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (
    error instanceof CliFailure ||
    error instanceof ConfigError ||
    error instanceof CommandFailed ||
    error instanceof IpFailed
  ) {
    return error.message;
  }
  const { code, syscall, address, port, path } = error as NodeJS.ErrnoException & { address?: string; port?: number };
  if (syscall === 'listen' || syscall === 'bind') {
    // Node leaves out a port of 0.
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
      return `${where} is taken by another program; choose another port with --bind-port, or stop that program (ss -ltnp shows it)`;
    case 'EADDRNOTAVAIL':
      return `${where}: this machine has no such address; choose one of its own with --bind-host`;
    case 'EACCES':
      return `${where}: ports below 1024 need root; choose another with --bind-port`;
    default:
      return `${where}: ${error.message}`;
  }
}
