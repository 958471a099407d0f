import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { RpcTransport } from '../rpc/contract.ts';
import type { OutboxClaim } from './claim.ts';
import { HeldSubjects } from './held.ts';
import { type Announcement, type Published, publish } from './publish.ts';

/** Milliseconds that all wait for the slowest subject; then it goes on by itself. */
const SLOW_MS = 250;

export interface DeliveriesOptions {
  readonly transport: RpcTransport;
  readonly claim: OutboxClaim;
  readonly log: Logger;
  /** A subject that all have not waited for is finished. */
  readonly onLate: () => void;
}

interface Finished extends Published {
  readonly subject: string;
}

/**
 * Events on their way to agents. Each subject's are told by themselves: one whose agents the broker cannot reach, or that failed
 * and waits for its next try, holds up none of the others. Rows of what was told are taken away by `settle`; while that
 * fails they stay here, so that they are not told again.
 */
export class Deliveries {
  readonly #options: DeliveriesOptions;
  readonly #held = new HeldSubjects();
  /** Being told, or told and not settled. */
  readonly #open = new Set<string>();
  readonly #finished: Finished[] = [];

  constructor(options: DeliveriesOptions) {
    this.#options = options;
  }

  /** Subjects whose events must not be begun with now. `now`: milliseconds of `performance`. */
  aside(now: number): readonly string[] {
    return [...this.#held.waiting(now), ...this.#open];
  }

  /** When the first of those that wait for another try has it; infinity when none waits. */
  nextTry(now: number): number {
    return this.#held.nextTry(now);
  }

  get open(): number {
    return this.#open.size;
  }

  /** Tells each subject's events in order; resolves when all are finished, or after a moment. */
  async tell(subjects: ReadonlyMap<string, readonly Announcement[]>): Promise<void> {
    let waiting = true;
    const all = [...subjects].map(async ([subject, announcements]) => {
      this.#open.add(subject);
      const published = await publish(this.#options.transport, announcements);
      this.#finished.push({ subject, ...published });
      if (!waiting) this.#options.onLate();
    });
    const over = new AbortController();
    const late = delay(SLOW_MS, undefined, { signal: over.signal }).catch(() => undefined);
    await Promise.race([Promise.all(all), late]);
    over.abort();
    waiting = false;
  }

  /** Takes away what was told; gives how many rows that were. */
  async settle(): Promise<number> {
    const finished = [...this.#finished];
    if (finished.length === 0) return 0;
    const told = finished.flatMap((one) => one.told);
    await this.#options.claim.done(
      told,
      finished.map((one) => one.subject),
    );
    this.#finished.splice(0, finished.length);
    const failed = finished.filter((one) => one.failure !== undefined);
    for (const { subject, failure } of finished) {
      this.#open.delete(subject);
      if (failure === undefined) this.#held.told(subject);
      else this.#held.failed(subject, performance.now());
    }
    const first = failed[0];
    if (first) {
      const facts = { err: first.failure, subject: first.subject, subjects: failed.length };
      this.#options.log.warn(facts, 'agents cannot be told of changes; trying again');
    }
    return told.length;
  }

  /** Leaves what is still on its way to whoever comes next. */
  async abandon(): Promise<void> {
    if (this.#open.size > 0) await this.#options.claim.done([], [...this.#open]);
  }
}
