import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { accessSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../src/linux/run.ts';
import { freePorts } from './free-ports.ts';

/** The broker's own scripts, because those in /usr/sbin change user and folder. */
const SCRIPTS = '/usr/lib/rabbitmq/bin';
const BOOT_MS = 120_000;
const STOP_MS = 60_000;
/**
 * Contains characters that a URL must encode, so that every test proves that they are decoded; no /, which stock clients do not
 * support.
 */
export const RABBIT_USER = 'neutrino@test';
export const RABBIT_PASSWORD = 'p%:@?#ü';

/** The facts with which another process can reach a broker. */
export interface BrokerFacts {
  readonly port: number;
  /** Port for TLS, if certificates were configured. */
  readonly tlsPort: number;
  readonly login: { readonly user: string; readonly password: string };
  readonly vhost: string;
  /** Environment of its scripts. */
  readonly env: Readonly<Record<string, string>>;
}

/** A broker that is started and stopped elsewhere. */
export interface Broker extends Pick<BrokerFacts, 'port' | 'tlsPort' | 'vhost'> {
  /** `rabbit://user:password@127.0.0.1:port/vhost`; `port` for a proxy in between. */
  transportUrl(options?: { port?: number; vhost?: string }): string;
  /** Returns the output of a `rabbitmqctl` command, which takes about two seconds. */
  ctl(...command: string[]): Promise<string>;
}

/** A private broker of the caller. */
export interface RabbitMq extends Broker {
  readonly facts: BrokerFacts;
  /** Stops the broker, which loses everything that is not durable; durable queues and messages reappear with `start`. */
  stop(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  /** Starts it again with the same port and data. */
  start(): Promise<void>;
  /** Stops it and removes its folder. */
  dispose(): Promise<void>;
}

export interface RabbitMqOptions {
  /** Virtual hosts in addition to `/`. */
  readonly vhosts?: readonly string[];
  /** Instead of RABBIT_USER and RABBIT_PASSWORD, for clients that cannot take their characters (kombu: a `/`). */
  readonly login?: { readonly user: string; readonly password: string };
  readonly tls?: { readonly ca: string; readonly cert: string; readonly key: string };
  /** Additional lines of rabbitmq.conf. */
  readonly conf?: readonly string[];
}

/** Returns why no broker can be started here, for tests that skip with this reason; undefined if one can. */
export function rabbitMqObstacle(): string | undefined {
  if (existsSync(`${SCRIPTS}/rabbitmq-server`)) return undefined;
  if (process.getuid?.() !== 0)
    return 'RabbitMQ is missing (Debian package rabbitmq-server) and installing it needs root';
  return undefined;
}

/**
 * Starts a private RabbitMQ on free ports, with its own node name, port mapper, cookie and data in a temporary folder, little
 * memory and one scheduler. Installs Debian's package (without starting its service) if it is missing.
 */
export async function startRabbitMq(options: RabbitMqOptions = {}): Promise<RabbitMq> {
  await installRabbitMq();
  const folder = mkdtempSync(join(tmpdir(), 'neutrino-rabbitmq-'));
  const [port, tlsPort, epmdPort, distPort] = await freePorts(4);
  if (!port || !tlsPort || !epmdPort || !distPort) throw new Error('no four free ports');
  const env = writeFiles(folder, { port, tlsPort, epmdPort, distPort }, options);
  let mapper: Spawned | undefined;
  let broker: Spawned | undefined;

  const start = async (): Promise<void> => {
    // A private port mapper in the foreground, because the one that erl starts by itself outlives everything.
    mapper ??= await spawnUntil(
      ['epmd', '-port', String(epmdPort), '-address', '127.0.0.1', '-d'],
      env,
      /epmd running/,
    );
    broker = await spawnUntil([`${SCRIPTS}/rabbitmq-server`], env, /completed with \d+ plugins/);
  };
  const stop = async (signal: NodeJS.Signals = 'SIGTERM'): Promise<void> => {
    await broker?.end(signal);
    broker = undefined;
  };
  const dispose = async (): Promise<void> => {
    await stop('SIGKILL');
    await mapper?.end('SIGKILL');
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    await start();
  } catch (error) {
    await dispose();
    throw error;
  }
  const facts: BrokerFacts = { port, tlsPort, login: loginOf(options), vhost: '', env };
  return { ...brokerAt(facts), facts, start, stop, dispose };
}

/** Returns the broker with these facts. */
export function brokerAt({ port, tlsPort, login, vhost, env }: BrokerFacts): Broker {
  const secret = `${encodeURIComponent(login.user)}:${encodeURIComponent(login.password)}`;
  const settings = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  return {
    port,
    tlsPort,
    vhost,
    transportUrl: (where = {}) =>
      `rabbit://${secret}@127.0.0.1:${where.port ?? port}/${encodeURIComponent(where.vhost ?? vhost)}`,
    ctl: async (...command) =>
      (
        await run(['env', '-i', ...settings, `${SCRIPTS}/rabbitmqctl`, '-q', ...command], {
          timeoutMs: 60_000,
        })
      ).stdout,
  };
}

interface Ports {
  readonly port: number;
  readonly tlsPort: number;
  readonly epmdPort: number;
  readonly distPort: number;
}

function loginOf({ login }: RabbitMqOptions): { readonly user: string; readonly password: string } {
  return login ?? { user: RABBIT_USER, password: RABBIT_PASSWORD };
}

function writeFiles(folder: string, ports: Ports, options: RabbitMqOptions): Record<string, string> {
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text, { mode: 0o600 });
    return join(folder, name);
  };
  const vhosts = ['/', ...(options.vhosts ?? [])];
  const { user, password } = loginOf(options);
  const everything = { configure: '.*', write: '.*', read: '.*' };
  const definitions = file(
    'definitions.json',
    JSON.stringify({
      users: [{ name: user, password, tags: 'administrator' }],
      vhosts: vhosts.map((name) => ({ name })),
      permissions: vhosts.map((vhost) => ({ user, vhost, ...everything })),
    }),
  );
  const tls = options.tls && [
    `listeners.ssl.1 = 127.0.0.1:${ports.tlsPort}`,
    `ssl_options.cacertfile = ${options.tls.ca}`,
    `ssl_options.certfile = ${options.tls.cert}`,
    `ssl_options.keyfile = ${options.tls.key}`,
    'ssl_options.verify = verify_none',
  ];
  const conf = file(
    'rabbitmq.conf',
    [
      `listeners.tcp.1 = 127.0.0.1:${ports.port}`,
      ...(tls ?? []),
      `load_definitions = ${definitions}`,
      'vm_memory_high_watermark.absolute = 384MB',
      'disk_free_limit.absolute = 1MB',
      'log.console = true',
      'log.console.level = error',
      'log.file = false',
      ...(options.conf ?? []),
      '',
    ].join('\n'),
  );
  return {
    PATH: '/usr/bin:/bin:/usr/sbin:/sbin',
    LANG: 'C.UTF-8',
    HOME: folder,
    RABBITMQ_NODENAME: `neutrino-${randomBytes(6).toString('hex')}@localhost`,
    ERL_EPMD_PORT: String(ports.epmdPort),
    RABBITMQ_DIST_PORT: String(ports.distPort),
    RABBITMQ_CONFIG_FILE: conf,
    RABBITMQ_CONF_ENV_FILE: file('rabbitmq-env.conf', ''),
    RABBITMQ_ADVANCED_CONFIG_FILE: join(folder, 'advanced.config'),
    RABBITMQ_ENABLED_PLUGINS_FILE: file('enabled_plugins', '[].'),
    RABBITMQ_MNESIA_BASE: join(folder, 'mnesia'),
    RABBITMQ_LOG_BASE: join(folder, 'log'),
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '+S 1:1 +A 2 +sbwt none +sbwtdcpu none +sbwtdio none',
    // The script then replaces itself with the broker instead of supervising it: one process, which a signal ends.
    RUNNING_UNDER_SYSTEMD: 'true',
  };
}

interface Spawned {
  end(signal: NodeJS.Signals): Promise<void>;
}

/** Starts a process and resolves when its output matches; throws an error with its output if it ends or exceeds the time limit. */
async function spawnUntil(command: readonly string[], env: NodeJS.ProcessEnv, ready: RegExp): Promise<Spawned> {
  const [file = '', ...args] = command;
  // The broker ends with the tests, however they end.
  const bound = ['--pdeathsig', 'KILL', file, ...args];
  const child = spawn('setpriv', bound, { env, cwd: env.HOME, stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = once(child, 'exit');
  let output = '';
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const listen = (chunk: Buffer): void => {
    output = (output + chunk.toString('utf8')).slice(-8_000);
    if (ready.test(output)) resolve();
  };
  child.stdout.on('data', listen);
  child.stderr.on('data', listen);
  const fail = (why: string) => reject(new Error(`${file} ${why}; its output:\n${output}`));
  child.once('error', (error) => fail(`cannot be started (${error.message})`));
  child.once('exit', (code, signal) => fail(`ended (${code ?? signal})`));
  const timer = setTimeout(() => fail(`is not ready after ${BOOT_MS} ms`), BOOT_MS);
  try {
    await promise;
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  } finally {
    clearTimeout(timer);
  }
  return { end: (signal) => end(child, exited, signal) };
}

async function end(child: ChildProcess, exited: Promise<unknown>, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill(signal);
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
  await exited;
  clearTimeout(timer);
}

/**
 * Installs Debian's package without starting its service, now or at boot, which policy-rc.d forbids. The lock prevents test files
 * from installing it in parallel.
 */
async function installRabbitMq(): Promise<void> {
  if (existsSync(`${SCRIPTS}/rabbitmq-server`)) return;
  const obstacle = rabbitMqObstacle();
  if (obstacle) throw new Error(obstacle);
  const script = `
    set -eu
    if [ -x ${SCRIPTS}/rabbitmq-server ]; then exit 0; fi
    policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
      trap 'rm -f "$policy"' EXIT
      printf '#!/bin/sh\\nexit 101\\n' >"$policy"
      chmod 755 "$policy"
    fi
    get() { apt-get -y -q -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 "$@"; }
    ${hasPackageLists() ? '' : 'get update'}
    get install --no-install-recommends rabbitmq-server || { get update; get install --no-install-recommends rabbitmq-server; }
    if command -v systemctl >/dev/null; then systemctl disable rabbitmq-server.service || true; fi`;
  const lock = join(tmpdir(), 'neutrino-install-rabbitmq.lock');
  const quiet = ['DEBIAN_FRONTEND=noninteractive', 'NEEDRESTART_MODE=l'];
  await run(['env', ...quiet, 'flock', '-w', '900', lock, 'sh', '-c', script], { timeoutMs: 900_000 });
}

function hasPackageLists(): boolean {
  try {
    accessSync('/var/lib/apt/lists');
    return readdirSync('/var/lib/apt/lists').some((name) => name.includes('_Packages'));
  } catch {
    return false;
  }
}
