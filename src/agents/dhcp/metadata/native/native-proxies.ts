import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { Config } from '../../../../config/options.ts';
import { backoffDelay } from '../../../../time/backoff.ts';
import { pause } from '../../../../time/pause.ts';
import { WaitTimeout } from '../../../../time/wait.ts';
import type { MetadataProxies, WantedProxy } from '../contract.ts';
import { rateSettings } from '../rate-settings.ts';
import { Connection } from './connection.ts';
import type { Answer, Command, ProcessSettings } from './messages.ts';
import { killProcess, processIdentity, processOutput, removeFiles, startProcess } from './start.ts';

/** A process that ran this long is not in a crash loop. */
const STEADY_MS = 60_000;
/** How often the process must answer. */
const CHECK_MS = 10_000;
const BACKOFF = { firstMs: 500, maxMs: 30_000 };

const NEVER_FAILED = { count: 0, error: undefined, until: Number.NEGATIVE_INFINITY };

type NativeConfig = Pick<Config, 'DEFAULT' | 'metadata_rate_limiting'>;

/** The control socket of the process; its pid and its output are in files beside it. */
export const controlSocket = ({ state_path }: Pick<Config['DEFAULT'], 'state_path'>): string =>
  join(state_path, 'ns-metadata-proxy', 'native');

/** Bytes of a UNIX socket's path (unix(7)), without the process id that is appended at first. */
const MAX_CONTROL = 107 - '.4194304'.length;

/** Returns why the process cannot be controlled with this state path; undefined if it can. */
export function controlObstacle(options: Pick<Config['DEFAULT'], 'state_path'>): string | undefined {
  const length = Buffer.byteLength(controlSocket(options));
  return length <= MAX_CONTROL ? undefined : `${controlSocket(options)}: too long for a socket`;
}

/**
 * One process that serves all networks of this host: it opens its listening sockets in their namespaces. It outlives the agent; the
 * next one adopts it, or replaces it without a gap if it was started from other sources or settings. If it dies, it is restarted
 * at once, with all networks.
 */
export class NativeProxies implements MetadataProxies {
  readonly #log: Logger;
  readonly #settings: ProcessSettings;
  readonly #wanted = new Map<string, WantedProxy>();
  readonly #listeners: ((networkId: string) => void)[] = [];
  readonly #stop = new AbortController();
  readonly #checks: NodeJS.Timeout;
  #connection: Connection | undefined;
  /** One at a time looks for the process, starts or replaces it. */
  #turn: Promise<unknown> = Promise.resolve();
  #isReviving = false;
  /** Attempts to start it that failed in a row, the last error, and when to try again. */
  #failed: { readonly count: number; readonly error: unknown; readonly until: number } = NEVER_FAILED;
  #deaths = { count: 0, at: Number.NEGATIVE_INFINITY };

  constructor({ config, log }: { readonly config: NativeConfig; readonly log: Logger }) {
    this.#log = log;
    const settings = {
      control: controlSocket(config.DEFAULT),
      upstream: config.DEFAULT.metadata_proxy_socket,
      rates: rateSettings(config.metadata_rate_limiting),
    };
    this.#settings = { ...settings, identity: processIdentity(settings) };
    this.#checks = setInterval(() => this.#check(), CHECK_MS).unref();
  }

  async serve(proxy: WantedProxy): Promise<void> {
    this.#wanted.set(proxy.networkId, proxy);
    const { failed } = await this.#serve([proxy]);
    const reason = failed[proxy.networkId];
    if (reason !== undefined) throw new Error(`network ${proxy.networkId}: ${reason}`);
  }

  async stop(networkId: string): Promise<string | undefined> {
    this.#wanted.delete(networkId);
    if (!this.#connection && !existsSync(this.#settings.control)) return undefined;
    const connection = await this.#inTurn(() => this.#find());
    if (!connection) {
      removeFiles(this.#settings.control);
      return undefined;
    }
    const { pid } = connection.greeting;
    try {
      const { serving } = await this.#ask(connection, { do: 'stop', networkId });
      if (serving > 0 || this.#wanted.size > 0) return undefined;
      if (this.#connection === connection) this.#connection = undefined;
      await this.#ask(connection, { do: 'leave' });
      removeFiles(this.#settings.control);
      this.#log.info({ pid }, 'no network needs metadata any longer: the process of the metadata proxies has ended');
      return `metadata proxies ${pid}`;
    } finally {
      if (this.#connection !== connection) connection.close();
    }
  }

  onDeath(listener: (networkId: string) => void): void {
    this.#listeners.push(listener);
  }

  async close(): Promise<void> {
    this.#stop.abort();
    clearInterval(this.#checks);
    await this.#turn;
    const connection = this.#connection;
    this.#connection = undefined;
    connection?.close();
  }

  async #serve(proxies: readonly WantedProxy[]): Promise<Answer> {
    const connection = this.#connection ?? (await this.#inTurn(() => this.#connect()));
    return this.#ask(connection, { do: 'serve', proxies });
  }

  async #ask(connection: Connection, command: Command): Promise<Answer> {
    try {
      return await connection.ask(command);
    } catch (error) {
      // It hangs: its end causes a restart.
      if (error instanceof WaitTimeout) await killProcess(connection.greeting.pid, this.#settings.control);
      throw error;
    }
  }

  #inTurn<T>(act: () => Promise<T>): Promise<T> {
    const acted = this.#turn.then(act);
    this.#turn = acted.catch(() => undefined);
    return acted;
  }

  readonly #events = {
    onReport: ({ level, text }: { readonly level: 'info' | 'warn'; readonly text: string }) => this.#log[level](text),
    onClose: (connection: Connection) => this.#closed(connection),
  };

  /** Returns a connection to the process that runs; it is kept, unless the process is to be replaced. */
  async #find(): Promise<Connection | undefined> {
    if (this.#connection) return this.#connection;
    const { control, identity } = this.#settings;
    const found = await Connection.find(control, this.#events).catch(async (error: unknown) => {
      this.#log.warn({ err: error }, 'the process of the metadata proxies does not answer; it is killed');
      await killProcess(undefined, control);
      return undefined;
    });
    if (found?.greeting.identity === identity) this.#connection = found;
    return found;
  }

  async #connect(): Promise<Connection> {
    const found = await this.#find();
    if (found && found === this.#connection) return found;
    const fresh = await this.#start(found).finally(() => found?.close());
    const { pid } = fresh.greeting;
    if (found) this.#log.info({ pid, former: found.greeting.pid }, 'the process of the metadata proxies was replaced');
    else this.#log.info({ pid }, 'one process serves metadata in all namespaces');
    this.#connection = fresh;
    return fresh;
  }

  /**
   * Starts the process, which takes the place of a former one. All networks need it: while it cannot be started, most attempts fail
   * without trying.
   */
  async #start(former: Connection | undefined): Promise<Connection> {
    if (performance.now() < this.#failed.until) throw this.#failed.error;
    let fresh: Connection | undefined;
    try {
      fresh = await startProcess(this.#settings, this.#events);
      if (former) await fresh.ask({ do: 'serve', proxies: former.greeting.proxies });
      await fresh.ask({ do: 'own' });
      await former?.ask({ do: 'leave' });
      this.#failed = NEVER_FAILED;
      return fresh;
    } catch (cause) {
      fresh?.close();
      const printed = processOutput(this.#settings.control);
      const error = new Error(`the process of the metadata proxies cannot be started: ${printed || cause}`, { cause });
      const count = this.#failed.count + 1;
      this.#failed = { count, error, until: performance.now() + backoffDelay(count, BACKOFF) };
      throw error;
    }
  }

  /** A process that hangs is killed, and its end causes a restart. */
  #check(): void {
    if (this.#connection) this.#ask(this.#connection, { do: 'serve', proxies: [] }).catch(() => undefined);
  }

  #closed(connection: Connection): void {
    if (connection !== this.#connection) return;
    this.#connection = undefined;
    if (this.#stop.signal.aborted) return;
    const output = processOutput(this.#settings.control);
    this.#log.warn({ pid: connection.greeting.pid, output }, 'the process of the metadata proxies died; restarting it');
    if (!this.#isReviving) void this.#revive();
  }

  async #revive(): Promise<void> {
    this.#isReviving = true;
    const now = performance.now();
    this.#deaths = { count: now - this.#deaths.at < STEADY_MS ? this.#deaths.count + 1 : 0, at: now };
    let { count } = this.#deaths;
    while (this.#wanted.size > 0 && (count === 0 || (await pause(backoffDelay(count, BACKOFF), this.#stop.signal)))) {
      try {
        const { failed } = await this.#serve([...this.#wanted.values()]);
        for (const networkId of Object.keys(failed)) for (const listener of this.#listeners) listener(networkId);
        break;
      } catch (error) {
        count += 1;
        this.#log.error({ err: error }, 'the process of the metadata proxies cannot be started; retrying');
      }
    }
    this.#isReviving = false;
  }
}
