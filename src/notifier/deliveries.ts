import type { Logger } from 'pino';
import type { RpcTransport } from '../rpc/contract.ts';
import { pause } from '../time/pause.ts';
import type { OutboxClaim } from './claim.ts';
import { type Announcement, type Published, publish } from './publish.ts';
import { RetrySchedule } from './retry-schedule.ts';

/** Milliseconds that all keys wait for the slowest one, which then continues on its own. */
const SLOW_MS = 250;

export interface DeliveriesOptions {
  readonly transport: Pick<RpcTransport, 'cast'>;
  readonly claim: OutboxClaim;
  readonly log: Logger;
  /** Called when a key that the others did not wait for has finished. */
  readonly onLate: () => void;
}

interface Finished extends Published {
  readonly key: string;
}

/**
 * Events being delivered to agents. The events of each ordering key are published independently: a key whose agents are
 * unreachable, or that failed and waits for its retry, does not delay the others. `settle` deletes the published rows; while that
 * fails, the keys stay here, so that nothing is published twice.
 */
export class Deliveries {
  readonly #options: DeliveriesOptions;
  readonly #retries = new RetrySchedule();
  /** Keys being published, or published and not settled. */
  readonly #open = new Set<string>();
  readonly #finished: Finished[] = [];

  constructor(options: DeliveriesOptions) {
    this.#options = options;
  }

  /** Returns the keys whose events must not be started now. `now`: milliseconds of `performance`. */
  aside(now: number): readonly string[] {
    return [...this.#retries.waiting(now), ...this.#open];
  }

  /** Returns when the next retry is due; infinity if there is none. */
  nextTry(now: number): number {
    return this.#retries.nextTry(now);
  }

  get open(): number {
    return this.#open.size;
  }

  /** Publishes the events of each key in order; resolves when all have finished, or after a moment. */
  async publish(announcements: ReadonlyMap<string, readonly Announcement[]>): Promise<void> {
    let waiting = true;
    const all = [...announcements].map(async ([key, own]) => {
      this.#open.add(key);
      const published = await publish(this.#options.transport, own);
      this.#finished.push({ key, ...published });
      if (!waiting) this.#options.onLate();
    });
    const over = new AbortController();
    const late = pause(SLOW_MS, over.signal);
    await Promise.race([Promise.all(all), late]);
    over.abort();
    waiting = false;
  }

  /** Deletes the rows that were published; returns how many. */
  async settle(): Promise<number> {
    const finished = [...this.#finished];
    if (finished.length === 0) return 0;
    const published = finished.flatMap((one) => one.published);
    await this.#options.claim.done(
      published,
      finished.map((one) => one.key),
    );
    this.#finished.splice(0, finished.length);
    const failed = finished.filter((one) => one.failure !== undefined);
    for (const { key, failure } of finished) {
      this.#open.delete(key);
      if (failure === undefined) this.#retries.succeeded(key);
      else this.#retries.failed(key, performance.now());
    }
    const first = failed[0];
    if (first) {
      const facts = { err: first.failure, orderingKey: first.key, orderingKeys: failed.length };
      this.#options.log.warn(facts, 'cannot notify agents of changes; retrying');
    }
    return published.length;
  }

  /** Leaves unfinished events to the next server. */
  async abandon(): Promise<void> {
    if (this.#open.size > 0) await this.#options.claim.done([], [...this.#open]);
  }
}
