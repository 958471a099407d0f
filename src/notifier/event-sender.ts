import type { Logger } from 'pino';
import { backoffDelay } from '../time/backoff.ts';
import { pause } from '../time/pause.ts';

/** Maximum number of events in one request. */
const BATCH = 100;
/** Maximum number of events that wait. */
const MAX_WAITING = 100_000;
/** Milliseconds between two looks for events at least: many commits are one look. */
const GATHER_MS = 50;
/** Polling interval without commits: for events of other processes. */
const POLL_MS = 2_000;
const AFTER_FAILURE = { firstMs: 500, maxMs: 30_000 };
/** Milliseconds that `close` keeps sending what is committed. */
const DRAIN_MS = 2_000;

/** What receives the events. */
export interface EventReceiver<Row> {
  /** Names it in the log: `Nova`. */
  readonly name: string;
  /** Sends events in order. Throws if all must be sent again. */
  send(events: readonly Row[]): Promise<void>;
  /** Ends all requests and connections; `send` fails from then on. */
  close(): Promise<void>;
}

/** What the sender needs of an `EventQueue`. */
type Queue<Row> = {
  take(most: number): Promise<readonly Row[] | 'busy'>;
  done(events: readonly Row[]): Promise<void>;
  trim(most: number): Promise<number>;
};

export interface EventSenderOptions<Row> {
  readonly queue: Queue<Row>;
  readonly receiver: EventReceiver<Row>;
  readonly log: Logger;
  /** Milliseconds between two requests, unless a whole batch waits. */
  readonly intervalMs: number;
  /** Default: 100 000. */
  readonly maxWaiting?: number | undefined;
}

/**
 * Sends the events of a queue to their receiver: at least once, in order, and as long as it takes; of more than `maxWaiting` that
 * wait, the oldest are dropped. It runs until it is closed.
 */
export class EventSender<Row> {
  readonly #queue: Queue<Row>;
  readonly #receiver: EventReceiver<Row>;
  readonly #log: Logger;
  readonly #intervalMs: number;
  readonly #maxWaiting: number;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  #woken = new AbortController();
  /** Consecutive failures. */
  #failures = 0;

  constructor({ queue, receiver, log, intervalMs, maxWaiting = MAX_WAITING }: EventSenderOptions<Row>) {
    this.#queue = queue;
    this.#receiver = receiver;
    this.#log = log;
    this.#intervalMs = intervalMs;
    this.#maxWaiting = maxWaiting;
    this.#running = this.#run();
  }

  /** Tells it that events may have been committed. Called after every commit, so it is cheap. */
  wake(): void {
    if (!this.#woken.signal.aborted) this.#woken.abort();
  }

  /** Sends what is committed, for 2 s at most, and closes the receiver. */
  async close(): Promise<void> {
    this.#stop.abort();
    this.wake();
    const late = setTimeout(() => void this.#receiver.close(), DRAIN_MS);
    await this.#running;
    clearTimeout(late);
    await this.#receiver.close();
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      this.#woken = new AbortController();
      try {
        const events = await this.#pass();
        if (events === 'busy') {
          await pause(POLL_MS, this.#stop.signal);
          continue;
        }
        if (this.#failures > 0)
          this.#log.info({ failures: this.#failures }, `${this.#receiver.name} is notified again`);
        this.#failures = 0;
        if (events === 0) await this.#idle();
        // What happens meanwhile is sent together.
        else if (events < BATCH) await pause(this.#intervalMs, this.#stop.signal);
      } catch (error) {
        this.#failed(error);
        await pause(backoffDelay(this.#failures, AFTER_FAILURE), this.#stop.signal);
      }
    }
    await this.#drain();
  }

  #failed(error: unknown): void {
    this.#failures += 1;
    const { name } = this.#receiver;
    const { message: reason } = error as Error;
    if (this.#stop.signal.aborted)
      this.#log.warn({ reason }, `${name} was not notified of everything; the next start continues with it`);
    else if (this.#failures === 1) this.#log.error({ reason }, `cannot notify ${name}; retrying until it succeeds`);
    else this.#log.debug({ reason, failures: this.#failures }, `cannot notify ${name}`);
  }

  /** Waits for a commit, and then a moment; or for the polling interval to end. */
  async #idle(): Promise<void> {
    const begin = performance.now();
    await pause(POLL_MS, this.#woken.signal);
    await pause(Math.max(0, begin + GATHER_MS - performance.now()), this.#stop.signal);
  }

  /** Sends the oldest events; returns how many there were, `busy` if another server is sending. */
  async #pass(): Promise<number | 'busy'> {
    const events = await this.#queue.take(BATCH);
    if (events === 'busy') return events;
    let sent: readonly Row[] = [];
    try {
      if (events.length > 0) await this.#receiver.send(events);
      sent = events;
    } finally {
      await this.#queue.done(sent);
      if (events.length === BATCH) await this.#trim();
    }
    return events.length;
  }

  async #trim(): Promise<void> {
    const dropped = await this.#queue.trim(this.#maxWaiting);
    if (dropped > 0)
      this.#log.error({ dropped }, `too many events wait for ${this.#receiver.name}; the oldest are dropped`);
  }

  /** Sends what is committed when the server stops. */
  async #drain(): Promise<void> {
    if (this.#failures > 0) return;
    try {
      for (let events: number | 'busy' = BATCH; events === BATCH; ) events = await this.#pass();
    } catch (error) {
      this.#failed(error);
    }
  }
}
