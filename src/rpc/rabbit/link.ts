import { once } from 'node:events';
import type { ChannelModel } from 'amqplib';
import type pino from 'pino';
import { backoffDelay } from '../../time/backoff.ts';
import { pause } from '../../time/pause.ts';
import { waitFor } from '../../time/wait.ts';
import { type BrokerConnection, connectToBroker } from './connect.ts';
import type { RabbitSettings } from './settings.ts';
import { type BrokerHost, brokerName } from './transport-url.ts';

/**
 * The two connections of a process to one broker. A broker short of memory stops reading from connections that publish;
 * acknowledgements on the other one still reach it.
 */
export interface Pair {
  readonly publish: ChannelModel;
  readonly consume: ChannelModel;
}

/** What uses the link. */
export interface LinkUser {
  /** The link is up: declare, consume, send what waits. A failure breaks the link. */
  up(pair: Pair): Promise<void>;
  /** The link is down, with all channels. */
  down(why: string): void;
}

export interface LinkOptions {
  readonly settings: RabbitSettings;
  readonly programName: string;
  readonly log: pino.Logger;
}

/** Milliseconds to declare and resume everything on a new link. */
const RESUME_MS = 30_000;
/** Milliseconds that closing may take. */
const GOODBYE_MS = 2_000;
/** Most milliseconds before the first retry: one lost connection is soon back, a restarting broker is not stormed. */
const SOON_MS = 500;
/** Milliseconds that another process needs to declare its queues again. */
const SETTLE_MS = 5_000;
/** Different problems remembered at most. */
const MAX_LOGGED = 100;
/** A link that lasted this long was good: after its loss the pauses start short again. */
const HELD_MS = 10_000;

/**
 * The link to RabbitMQ: connects to one of the hosts, and reconnects, with backoff and jitter over all of them, whenever the
 * connection is lost, until it is closed. Calls its user when it is up and down.
 */
export class Link {
  readonly #settings: RabbitSettings;
  readonly #programName: string;
  readonly #log: pino.Logger;
  readonly #user: LinkUser;
  readonly #stop = new AbortController();
  readonly #ended: Promise<void>;
  /** In random order, so that the processes of a site spread over the brokers; the first is tried next. */
  readonly #hosts: BrokerHost[];
  #break: ((why: string) => void) | undefined;
  #broker: string | undefined;
  #goodbye: Promise<void> | undefined;
  #settledAt = 0;
  #why = 'not connected yet';
  /** What has been logged since the link was last up. */
  readonly #logged = new Set<string>();

  constructor({ settings, programName, log }: LinkOptions, user: LinkUser) {
    this.#settings = settings;
    this.#programName = programName;
    this.#log = log;
    this.#user = user;
    this.#hosts = [...settings.hosts];
    for (let end = this.#hosts.length - 1; end > 0; end -= 1) {
      const other = Math.floor(Math.random() * (end + 1));
      [this.#hosts[end], this.#hosts[other]] = [this.#hosts[other] as BrokerHost, this.#hosts[end] as BrokerHost];
    }
    this.#ended = this.#run();
  }

  /** Returns the state for error messages: `RabbitMQ at h:5672`, or the hosts without a connection, and why. */
  get state(): string {
    if (this.#broker !== undefined) return `RabbitMQ at ${this.#broker}`;
    return `no connection to RabbitMQ at ${this.#settings.hosts.map(brokerName).join(', ')} (${this.#why})`;
  }

  /**
   * Whether the other processes have had time to reconnect to a broker that was down: until then a missing queue may only not
   * have been declared again yet.
   */
  get settled(): boolean {
    return Date.now() >= this.#settledAt;
  }

  /** Drops a link that no longer answers, and connects anew. */
  break(why: string): void {
    this.#break?.(why);
  }

  /** Closes the link for good; resolves when both connections are closed, after a few seconds at most. */
  async close(): Promise<void> {
    this.#stop.abort();
    this.#break?.('closing');
    await this.#ended;
    await this.#goodbye;
  }

  async #run(): Promise<void> {
    let failures = 0;
    let lostAt: number | undefined;
    while (!this.#stop.signal.aborted) {
      const connected = await this.#connect();
      if (!connected) {
        failures += 1;
      } else {
        const since = Date.now();
        const why = await this.#hold(connected.host, connected.connections, lostAt);
        lostAt = Date.now();
        failures = lostAt - since >= HELD_MS ? 1 : failures + 1;
        if (this.#stop.signal.aborted) break;
        this.#report(`connection to RabbitMQ at ${brokerName(connected.host)} lost (${why}); connecting again`);
        // The next host comes first: this one has just failed.
        this.#hosts.push(...this.#hosts.splice(0, 1));
      }
      await pause(this.#delay(failures), this.#stop.signal);
    }
  }

  /** A random short pause after the first failure; longer and longer ones later. */
  #delay(failures: number): number {
    const { retryFirstMs, retryMaxMs } = this.#settings;
    if (failures <= 1) return Math.random() * Math.min(SOON_MS, retryFirstMs);
    return backoffDelay(failures - 1, { firstMs: retryFirstMs, maxMs: retryMaxMs });
  }

  /** Tries all hosts, one after the other. */
  async #connect(): Promise<
    { host: BrokerHost; connections: readonly [BrokerConnection, BrokerConnection] } | undefined
  > {
    for (let tried = 0; tried < this.#settings.hosts.length; tried += 1) {
      const host = this.#hosts[0] as BrokerHost;
      const open = () => connectToBroker(host, this.#settings, this.#programName, this.#stop.signal, this.#log);
      const [publish, consume] = await Promise.allSettled([open(), open()]);
      if (publish.status === 'fulfilled' && consume.status === 'fulfilled') {
        return { host, connections: [publish.value, consume.value] };
      }
      for (const one of [publish, consume]) {
        if (one.status === 'fulfilled') one.value.drop();
        else this.#report((one.reason as Error).message);
      }
      this.#hosts.push(...this.#hosts.splice(0, 1));
      if (this.#stop.signal.aborted) break;
    }
    return undefined;
  }

  /** Holds a link until it breaks; returns why. */
  async #hold(
    host: BrokerHost,
    connections: readonly [BrokerConnection, BrokerConnection],
    lostAt: number | undefined,
  ): Promise<string> {
    const name = brokerName(host);
    const broken = Promise.withResolvers<string>();
    this.#break = broken.resolve;
    for (const { model } of connections) {
      model.on('error', (error) => broken.resolve(error.message));
      model.on('close', (error) => broken.resolve(error?.message ?? 'closed'));
      model.on('blocked', (reason) =>
        this.#log.warn(
          { broker: name, reason },
          'RabbitMQ accepts no messages for now: it is short of memory or disk space',
        ),
      );
      model.on('unblocked', () => this.#log.info({ broker: name }, 'RabbitMQ accepts messages again'));
    }
    const [publish, consume] = connections;
    const why = await this.#use({ publish: publish.model, consume: consume.model }, name, lostAt, broken.promise);
    this.#break = undefined;
    this.#broker = undefined;
    this.#user.down(why);
    this.#goodbye = goodbye(connections);
    return why;
  }

  async #use(pair: Pair, name: string, lostAt: number | undefined, broken: Promise<string>): Promise<string> {
    try {
      const early = await Promise.race([waitFor('resuming', this.#user.up(pair), RESUME_MS), broken]);
      if (early !== undefined) return early;
    } catch (error) {
      return (error as Error).message;
    }
    this.#broker = name;
    // Other processes wait as long between two tries as this one, and then declare their queues.
    if (lostAt !== undefined) this.#settledAt = Date.now() + this.#settings.retryMaxMs + SETTLE_MS;
    const again = lostAt === undefined ? '' : ` again after ${((Date.now() - lostAt) / 1000).toFixed(1)} s`;
    this.#log.info({ broker: name }, `connected to RabbitMQ at ${name}${again}`);
    this.#logged.clear();
    return broken;
  }

  /** Logs a problem that repeats as one line for the operator. */
  #report(text: string): void {
    this.#why = text;
    if (this.#stop.signal.aborted) return;
    if (this.#logged.has(text)) this.#log.debug(text);
    else this.#log.warn(text);
    if (this.#logged.size >= MAX_LOGGED) this.#logged.clear();
    this.#logged.add(text);
  }
}

/** Closes the connections that still can be closed, and drops the rest. */
async function goodbye(connections: readonly BrokerConnection[]): Promise<void> {
  const closing = connections.map(async ({ model }) => {
    // Closing never ends when the other side disappears meanwhile.
    const gone = once(model, 'close').catch(() => undefined);
    await Promise.race([model.close(), gone]).catch(() => undefined);
  });
  await waitFor('goodbye', Promise.all(closing), GOODBYE_MS).catch(() => undefined);
  for (const { drop } of connections) drop();
}
