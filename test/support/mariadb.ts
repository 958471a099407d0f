import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chownSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createConnection } from 'mysql2/promise';
import { parseMysqlUrl } from '../../src/db/mysql/url.ts';
import { run } from '../../src/linux/run.ts';
import { waitFor } from '../../src/time/wait.ts';
import { scratchFolder } from './scratch.ts';

const START_MS = 60_000;
const NOT_DURABLE = ['--innodb-flush-log-at-trx-commit=0', '--skip-innodb-doublewrite'];

/** A private MariaDB in a temporary folder, listening on a socket there and on a free port of loopback. */
export interface PrivateMariadb {
  readonly port: number;
  readonly folder: string;
  readonly socket: string;
  /** Creates an empty database; returns its URL for `[database] connection`. */
  database(): Promise<string>;
  start(): Promise<void>;
  /** kill -9. */
  kill(): Promise<void>;
  stop(): Promise<void>;
  dispose(): Promise<void>;
}

async function mysqlUser(): Promise<{ readonly uid: number; readonly gid: number }> {
  const { stdout } = await run(['id', '-u', 'mysql']);
  const group = await run(['id', '-g', 'mysql']);
  return { uid: Number(stdout), gid: Number(group.stdout) };
}

/**
 * Creates an empty database on the server of a socket; returns its URL for `[database] connection`. Its user has all privileges
 * on it, and the database's name as password.
 */
export async function makeDatabase(socket: string, port: number): Promise<string> {
  const name = `neutrino_${randomBytes(5).toString('hex')}`;
  await asRoot(socket, [
    `create database ${name} character set utf8mb4`,
    `create user '${name}'@'%' identified by '${name}'`,
    `grant all on ${name}.* to '${name}'@'%'`,
  ]);
  return `mysql+pymysql://${name}:${name}@127.0.0.1:${port}/${name}?charset=utf8mb4`;
}

/** Removes what `makeDatabase` created. */
export async function dropDatabase(socket: string, url: string): Promise<void> {
  const { database } = parseMysqlUrl(url);
  await asRoot(socket, [`drop database ${database}`, `drop user '${database}'@'%'`]);
}

async function asRoot(socket: string, statements: readonly string[]): Promise<void> {
  const connection = await createConnection({ socketPath: socket, user: 'root' });
  try {
    for (const statement of statements) await connection.query(statement);
  } finally {
    await connection.end();
  }
}

export interface MariadbOptions {
  /** Additional addresses of this machine to listen on. */
  readonly addresses?: readonly string[];
  /** Whether commits are flushed to disk; default: true. Otherwise it is in memory where the machine has room there. */
  readonly durable?: boolean;
}

/** Creates and starts one (Debian: mariadb-server, whose service need not run). Needs root, to run it as user mysql. */
export async function startMariadb({ addresses = [], durable = true }: MariadbOptions = {}): Promise<PrivateMariadb> {
  const folder = durable ? mkdtempSync(join(tmpdir(), 'neutrino-mariadb-')) : scratchFolder('neutrino-mariadb-');
  const { uid, gid } = await mysqlUser();
  chownSync(folder, uid, gid);
  const data = join(folder, 'data');
  const socket = join(folder, 'socket');
  await run(
    [
      'mariadb-install-db',
      '--no-defaults',
      `--datadir=${data}`,
      '--user=mysql',
      '--auth-root-authentication-method=normal',
      '--skip-test-db',
    ],
    { timeoutMs: START_MS },
  );
  const port = 20_000 + Math.floor(Math.random() * 12_000);
  let child: ChildProcess | undefined;
  const end = async (signal: NodeJS.Signals) => {
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  };
  const mariadb: PrivateMariadb = {
    port,
    folder,
    socket,
    async start() {
      child = spawn(
        'setpriv',
        [
          // It ends with this process, however that ends; as user mysql from the start, because a change of user would undo that.
          '--pdeathsig=KILL',
          '--reuid=mysql',
          '--regid=mysql',
          '--init-groups',
          'mariadbd',
          '--no-defaults',
          `--datadir=${data}`,
          `--socket=${socket}`,
          `--pid-file=${join(folder, 'pid')}`,
          `--port=${port}`,
          `--bind-address=${['127.0.0.1', ...addresses].join(',')}`,
          '--innodb-buffer-pool-size=64M',
          '--innodb-log-file-size=16M',
          '--max-connections=200',
          '--skip-name-resolve',
          ...(durable ? ['--innodb-flush-log-at-trx-commit=1'] : NOT_DURABLE),
          `--log-error=${join(folder, 'error.log')}`,
        ],
        { stdio: 'ignore' },
      );
      await waitFor(
        'MariaDB to respond',
        async () => {
          if (child?.exitCode !== null) throw new Error(`mariadbd exited; see ${join(folder, 'error.log')}`);
          return asRoot(socket, ['select 1'])
            .then(() => true)
            .catch(() => undefined);
        },
        { timeoutMs: START_MS },
      );
    },
    database: () => makeDatabase(socket, port),
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
    async dispose() {
      await end('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
  try {
    await mariadb.start();
  } catch (error) {
    await mariadb.dispose();
    throw error;
  }
  return mariadb;
}
