import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { run } from '../../src/linux/run.ts';
import { waitFor } from '../../src/time/wait.ts';
import { removeUnlessKept } from './folder.ts';
import { freePorts } from './free-ports.ts';
import { type Ini, iniText, mergeIni } from './ini.ts';
import { isProgram } from './is-program.ts';
import { KeystoneAccounts } from './keystone-accounts.ts';
import { Program } from './program.ts';

const MANAGE = '/usr/bin/keystone-manage';
const APPLICATION = '/usr/bin/keystone-wsgi-public';
const UWSGI = '/usr/bin/uwsgi';

const SETUP_MS = 60_000;
const START_MS = 60_000;
const REGION = 'RegionOne';

/**
 * A Keystone of the caller's own: Debian's, on SQLite, with free ports of loopback and a temporary folder. Start it with
 * `const keystone = await startKeystone()`, which takes about five seconds, and end it with `await keystone.dispose()`.
 */
export interface Keystone {
  /** `http://127.0.0.1:<port>/v3`. */
  readonly url: string;
  /** `https://127.0.0.1:<port>/v3`, if certificates were given. */
  readonly tlsUrl: string;
  /** Password of `admin`, administrator of the project `admin` (domain `Default`). */
  readonly adminPassword: string;
  /** Name of the only region. */
  readonly region: string;
  /** Makes projects, users and tokens. */
  readonly accounts: KeystoneAccounts;
  /** Everything it has logged. */
  readonly log: string;
  /** Starts it again on the same ports and database. */
  start(): Promise<void>;
  stop(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  /** Stops its processes without ending them: connections are accepted and never answered. */
  freeze(): Promise<void>;
  thaw(): Promise<void>;
  /** Ends it and removes its folder. */
  dispose(): Promise<void>;
}

export interface KeystoneOptions {
  /** Further options of keystone.conf. */
  readonly conf?: Ini;
  /** Files to serve TLS with, beside HTTP; with `clientCa`, clients must present a certificate of that authority. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly clientCa?: string };
}

/** Returns why no Keystone can be started here; undefined: it can. */
export function keystoneObstacle(): string | undefined {
  const missing = [MANAGE, APPLICATION, UWSGI].filter((path) => !isProgram(path));
  if (missing.length === 0) return undefined;
  return `Keystone is missing (${missing.join(', ')}; Debian packages keystone, uwsgi-core and uwsgi-plugin-python3)`;
}

/** Creates the database and the administrator of a Keystone, and starts it. Throws if it is not installed. */
export async function startKeystone(options: KeystoneOptions = {}): Promise<Keystone> {
  const obstacle = keystoneObstacle();
  if (obstacle) throw new Error(obstacle);
  const folder = mkdtempSync(join(tmpdir(), 'neutrino-keystone-'));
  const [port = 0, tlsPort = 0] = await freePorts(2);
  const url = `http://127.0.0.1:${port}/v3`;
  const adminPassword = randomBytes(12).toString('hex');
  const config = writeFiles(folder, options.conf);
  const uwsgi = new Program({
    name: 'keystone',
    command: ['setpriv', '--pdeathsig=KILL', UWSGI, ...uwsgiFlags(port, tlsPort, options)],
    folder,
    env: { OS_KEYSTONE_CONFIG_DIR: folder, OS_KEYSTONE_CONFIG_FILES: config },
  });
  const signalAll = async (signal: 'STOP' | 'CONT') => {
    // A stopped master does not notice that its workers stop.
    await run(['pkill', `-${signal}`, '-P', String(uwsgi.pid)], { okCodes: [0, 1] });
    await uwsgi.signal(`SIG${signal}`);
  };
  const keystone: Keystone = {
    url,
    tlsUrl: `https://127.0.0.1:${tlsPort}/v3`,
    adminPassword,
    region: REGION,
    accounts: new KeystoneAccounts(url, adminPassword),
    get log() {
      return uwsgi.stdout + uwsgi.stderr;
    },
    async start() {
      await uwsgi.start();
      const answers = async () => {
        if (!(await uwsgi.isRunning())) throw new Error(`Keystone ended; it said:\n${uwsgi.lastWords()}`);
        return (await fetch(url).catch(() => undefined))?.ok;
      };
      await waitFor('Keystone to answer', answers, START_MS);
    },
    stop: async (signal = 'SIGTERM') => void (await uwsgi.end(signal)),
    freeze: () => signalAll('STOP'),
    thaw: () => signalAll('CONT'),
    async dispose() {
      if (await uwsgi.isRunning()) await signalAll('CONT');
      await uwsgi.shutDown();
      removeUnlessKept(folder);
    },
  };
  try {
    await manage(config, 'db_sync');
    logAhead(databaseFile(folder));
    await manage(
      config,
      'bootstrap',
      `--bootstrap-password=${adminPassword}`,
      `--bootstrap-region-id=${REGION}`,
      `--bootstrap-public-url=${url}`,
      `--bootstrap-internal-url=${url}`,
    );
    await keystone.start();
  } catch (error) {
    await keystone.dispose();
    throw error;
  }
  return keystone;
}

const manage = (config: string, ...command: readonly string[]) =>
  run([MANAGE, `--config-file=${config}`, ...command], { timeoutMs: SETUP_MS });

const databaseFile = (folder: string) => join(folder, 'keystone.sqlite');

/** Keystone leaves transactions open after it has read; without a write-ahead log no other process could write meanwhile. */
function logAhead(file: string): void {
  const database = new DatabaseSync(file);
  database.exec('PRAGMA journal_mode = WAL');
  database.close();
}

/** Writes keystone.conf and keys; returns the path of the former. */
function writeFiles(folder: string, conf: Ini = {}): string {
  const keys = (name: string) => {
    const repository = join(folder, name);
    mkdirSync(repository, { mode: 0o700 });
    // As `keystone-manage fernet_setup` makes them: 0 is staged, 1 signs.
    for (const key of ['0', '1'])
      writeFileSync(join(repository, key), `${randomBytes(32).toString('base64url')}=`, { mode: 0o600 });
    return repository;
  };
  const own: Ini = {
    DEFAULT: { use_stderr: true },
    database: { connection: `sqlite:///${databaseFile(folder)}`, sqlite_synchronous: false },
    fernet_tokens: { key_repository: keys('fernet') },
    credential: { key_repository: keys('credential') },
    // The cheapest hash: logins are not what is tested.
    identity: { password_hash_rounds: 4 },
    // A cache of its own process only, which the other process would not hear of.
    cache: { enabled: false },
  };
  const file = join(folder, 'keystone.conf');
  writeFileSync(file, iniText(mergeIni(own, conf)), { mode: 0o600 });
  chmodSync(folder, 0o700);
  return file;
}

/** Processes instead of threads, because SQLite's connections belong to one thread each. */
function uwsgiFlags(port: number, tlsPort: number, { tls }: KeystoneOptions): readonly string[] {
  const certificates = tls && [tls.cert, tls.key, ...(tls.clientCa ? ['HIGH', `!${tls.clientCa}`] : [])];
  return [
    `--http-socket=127.0.0.1:${port}`,
    ...(certificates ? [`--https-socket=${[`127.0.0.1:${tlsPort}`, ...certificates].join(',')}`] : []),
    '--plugin=python3',
    // It closes connections in any case, and clients would only notice that with their next request.
    '--add-header=Connection: close',
    `--wsgi-file=${APPLICATION}`,
    '--buffer-size=65535',
    '--need-app',
    '--master',
    '--no-orphans',
    '--die-on-term',
    '--processes=2',
  ];
}
