import { once } from 'node:events';
import type { ChannelModel } from 'amqplib';
import type pino from 'pino';
import { backoffDelay, pause } from '../backoff.ts';
import { within } from './bounded.ts';
import { type BrokerConnection, connectToBroker } from './connect.ts';
import type { RabbitSettings } from './settings.ts';
import { type BrokerHost, brokerName } from './transport-url.ts';

/**
 * Both connections of a process to one broker. Two, because a broker short of memory stops reading from connections that
 * publish: acknowledgements on the other one still reach it.
 */
export interface Pair {
  readonly publish: ChannelModel;
  readonly consume: ChannelModel;
}

/** What lives on the link. */
export interface LinkUser {
  /** The link is there: declare, consume, send what waits. Failing breaks the link. */
  up(pair: Pair): Promise<void>;
  /** The link is gone, with all channels. */
  down(why: string): void;
}

export interface LinkOptions {
  readonly settings: RabbitSettings;
  readonly programName: string;
  readonly log: pino.Logger;
}

/** Milliseconds for declaring and resuming everything on a new link. */
const RESUME_MS = 30_000;
/** Milliseconds that saying goodbye may take. */
const GOODBYE_MS = 2_000;
/** Milliseconds until the first new try at most: one lost connection is soon mended, a restarting broker not stormed. */
const SOON_MS = 500;
/** Milliseconds that a process needs to declare its queues again. */
const SETTLE_MS = 5_000;
/** Different troubles remembered at most. */
const MAX_TOLD = 100;
/** A link that held so long was a good one: the next loss begins with short pauses again. */
const HELD_MS = 10_000;

/**
 * The way to RabbitMQ: connects to one of the hosts, and again, with backoff and jitter over all of them, whenever the link is
 * lost, until it is closed. Tells its user when it is up and down.
 */
export class Link {
  readonly #settings: RabbitSettings;
  readonly #programName: string;
  readonly #log: pino.Logger;
  readonly #user: LinkUser;
  readonly #stop = new AbortController();
  readonly #ended: Promise<void>;
  /** In a random order, so that the processes of a site spread over the brokers; the first is tried next. */
  readonly #hosts: BrokerHost[];
  #break: ((why: string) => void) | undefined;
  #broker: string | undefined;
  #goodbye: Promise<void> | undefined;
  #settledAt = 0;
  #why = 'not connected yet';
  /** What the log has been told since the link was last up. */
  readonly #told = new Set<string>();

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

  /** How the state reads in an error: `RabbitMQ at h:5672` or why there is no connection to which hosts. */
  get state(): string {
    if (this.#broker !== undefined) return `RabbitMQ at ${this.#broker}`;
    return `no connection to RabbitMQ at ${this.#settings.hosts.map(brokerName).join(', ')} (${this.#why})`;
  }

  /**
   * Whether the other processes have had time to find back to a broker that was away: until then a queue that is missing may
   * only not have been made again yet.
   */
  get settled(): boolean {
    return Date.now() >= this.#settledAt;
  }

  /** Gives a link up that no longer answers; a new one is made. */
  break(why: string): void {
    this.#break?.(why);
  }

  /** Ends the link for good; resolves when both connections are closed, after a few seconds at most. */
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
        this.#tell(`connection to RabbitMQ at ${brokerName(connected.host)} lost (${why}); connecting again`);
        // The next host first: this one has just failed.
        this.#hosts.push(...this.#hosts.splice(0, 1));
      }
      await pause(this.#delay(failures), this.#stop.signal);
    }
  }

  /** Soon after the first failure, at a time of this process's own; then longer and longer. */
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
        else this.#tell((one.reason as Error).message);
      }
      this.#hosts.push(...this.#hosts.splice(0, 1));
      if (this.#stop.signal.aborted) break;
    }
    return undefined;
  }

  /** Keeps a link until it breaks; gives why. */
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
          'RabbitMQ takes no messages for now: it is short of memory or disk space',
        ),
      );
      model.on('unblocked', () => this.#log.info({ broker: name }, 'RabbitMQ takes messages again'));
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
      const early = await Promise.race([within('resuming', RESUME_MS, this.#user.up(pair)), broken]);
      if (early !== undefined) return early;
    } catch (error) {
      return (error as Error).message;
    }
    this.#broker = name;
    // Others wait as long between two tries as this one does, and then have to declare their queues.
    if (lostAt !== undefined) this.#settledAt = Date.now() + this.#settings.retryMaxMs + SETTLE_MS;
    const again = lostAt === undefined ? '' : ` again after ${((Date.now() - lostAt) / 1000).toFixed(1)} s`;
    this.#log.info({ broker: name }, `connected to RabbitMQ at ${name}${again}`);
    this.#told.clear();
    return broken;
  }

  /** The same trouble over and over is one line for the operator. */
  #tell(text: string): void {
    this.#why = text;
    if (this.#stop.signal.aborted) return;
    if (this.#told.has(text)) this.#log.debug(text);
    else this.#log.warn(text);
    if (this.#told.size >= MAX_TOLD) this.#told.clear();
    this.#told.add(text);
  }
}

/** Closes what can still be closed, and drops the rest. */
async function goodbye(connections: readonly BrokerConnection[]): Promise<void> {
  const closing = connections.map(async ({ model }) => {
    // Closing never ends when the other side goes meanwhile.
    const gone = once(model, 'close').catch(() => undefined);
    await Promise.race([model.close(), gone]).catch(() => undefined);
  });
  await within('goodbye', GOODBYE_MS, Promise.all(closing)).catch(() => undefined);
  for (const { drop } of connections) drop();
}
