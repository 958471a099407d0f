import type { Logger } from 'pino';
import type { Core } from '../../plugin/core.ts';
import { backoffDelay } from '../../time/backoff.ts';
import { pause } from '../../time/pause.ts';
import { NovaApi } from './api.ts';
import { type NovaEvent, NovaQueue } from './queue.ts';

/** Maximum number of events in one request. */
const BATCH = 100;
/** Maximum number of events that wait; Nova has long since given up on older ones. */
const MAX_WAITING = 100_000;
/** Milliseconds between two looks for events at least: many commits are one look. */
const GATHER_MS = 50;
/** Polling interval without commits: for events of other processes. */
const POLL_MS = 2_000;
const AFTER_FAILURE = { firstMs: 500, maxMs: 30_000 };
/** Milliseconds that `close` keeps sending what is committed. */
const DRAIN_MS = 2_000;

export interface NovaSenderOptions {
  readonly core: Core;
  /** Whether no other server uses the database. */
  readonly alone: boolean;
  /** Default: 100 000. */
  readonly maxWaiting?: number;
}

/**
 * Sends events about ports to Nova: at least once, in order for each port, and as long as it takes; of more than 100 000 that wait,
 * the oldest are dropped. Throws ConfigError for options that are missing.
 */
export function startNovaSender(options: NovaSenderOptions): { close(): Promise<void> } {
  const api = new NovaApi(options.core.config, options.core.log);
  const sender = new NovaSender(options, api);
  options.core.db.onCommit(() => sender.wake());
  // So that a wrong configuration shows in the log at once, and not at the first event.
  api.logIn().catch(({ message: reason }: Error) => options.core.log.error({ reason }, 'cannot log in to notify Nova'));
  const running = sender.run();
  return {
    async close() {
      sender.stop();
      const late = setTimeout(() => void api.close(), DRAIN_MS);
      await running;
      clearTimeout(late);
      await api.close();
    },
  };
}

class NovaSender {
  readonly #api: NovaApi;
  readonly #queue: NovaQueue;
  readonly #log: Logger;
  readonly #intervalMs: number;
  readonly #maxWaiting: number;
  readonly #stop = new AbortController();
  #woken = new AbortController();
  /** Consecutive failures. */
  #failures = 0;

  constructor({ core, alone, maxWaiting = MAX_WAITING }: NovaSenderOptions, api: NovaApi) {
    this.#api = api;
    this.#queue = new NovaQueue(core.db, alone);
    this.#log = core.log;
    this.#intervalMs = core.config.DEFAULT.send_events_interval * 1000;
    this.#maxWaiting = maxWaiting;
  }

  /** Called after every commit, so it must be cheap. */
  wake(): void {
    if (!this.#woken.signal.aborted) this.#woken.abort();
  }

  stop(): void {
    this.#stop.abort();
    this.wake();
  }

  async run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      this.#woken = new AbortController();
      try {
        const events = await this.#pass();
        if (events === 'busy') {
          await pause(POLL_MS, this.#stop.signal);
          continue;
        }
        if (this.#failures > 0) this.#log.info({ failures: this.#failures }, 'Nova is notified again');
        this.#failures = 0;
        if (events === 0) await this.#idle();
        // As in Neutron: what happens meanwhile is sent together.
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
    const { message: reason } = error as Error;
    if (this.#stop.signal.aborted)
      this.#log.warn({ reason }, 'Nova was not notified of everything; the next start continues with it');
    else if (this.#failures === 1) this.#log.error({ reason }, 'cannot notify Nova; retrying until it succeeds');
    else this.#log.debug({ reason, failures: this.#failures }, 'cannot notify Nova');
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
    let sent: readonly NovaEvent[] = [];
    try {
      if (events.length > 0) await this.#api.send(events);
      sent = events;
    } finally {
      await this.#queue.done(sent);
      if (events.length === BATCH) await this.#trim();
    }
    return events.length;
  }

  async #trim(): Promise<void> {
    const dropped = await this.#queue.trim(this.#maxWaiting);
    if (dropped > 0) this.#log.error({ dropped }, 'too many events wait for Nova; the oldest are dropped');
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
