import type { Logger } from 'pino';
import { MessagingTimeout } from '../../rpc/errors.ts';
import { backoffDelay } from '../../time/backoff.ts';
import { KeyedQueue } from '../common/keyed-queue.ts';

export type DeviceState = 'up' | 'down';

/** Maximum number of concurrent calls. */
const WORKERS = 8;
const AGAIN = { firstMs: 1_000, maxMs: 30_000 };
/** Tries of a call that the server answers with a failure; unanswered ones are made until they are answered. */
const MAX_REFUSED = 5;

/**
 * Reports to the server which devices are up and which are down. For one device the states arrive in order; a newer one
 * replaces one that waits. An unanswered call is repeated with pauses of up to 30 s until it is answered: there is one entry a
 * device, and a lost `down` would show a dead port as ACTIVE for ever.
 */
export class DeviceReports {
  readonly #call: (device: string, state: DeviceState) => Promise<unknown>;
  readonly #log: Logger;
  readonly #states = new Map<string, DeviceState>();
  readonly #failures = new Map<string, number>();
  readonly #timers = new Map<string, NodeJS.Timeout>();
  readonly #queue: KeyedQueue;
  #closed = false;

  constructor(send: (device: string, state: DeviceState) => Promise<unknown>, log: Logger) {
    this.#call = send;
    this.#log = log;
    this.#queue = new KeyedQueue({
      workers: WORKERS,
      work: (device) => this.#send(device),
      onError: (device, error) => this.#again(device, error),
    });
  }

  report(device: string, state: DeviceState): void {
    if (this.#closed) return;
    this.#states.set(device, state);
    clearTimeout(this.#timers.get(device));
    this.#timers.delete(device);
    this.#queue.add(device);
  }

  /** Stops reporting. Does not wait for calls in progress. */
  close(): void {
    this.#closed = true;
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    void this.#queue.close();
  }

  async #send(device: string): Promise<void> {
    const state = this.#states.get(device);
    if (state === undefined) return;
    await this.#call(device, state);
    this.#failures.delete(device);
    if (this.#states.get(device) === state) this.#states.delete(device);
  }

  #again(device: string, error: unknown): void {
    if (this.#closed) return;
    const failures = (this.#failures.get(device) ?? 0) + 1;
    this.#failures.set(device, failures);
    if (failures >= MAX_REFUSED && !(error instanceof MessagingTimeout)) {
      this.#log.error(
        { err: error, device, failures },
        'giving up the report of a device: the server keeps rejecting it',
      );
      this.#failures.delete(device);
      this.#states.delete(device);
      return;
    }
    const delayMs = backoffDelay(failures, AGAIN);
    this.#log.warn({ err: error, device, failures, delayMs }, 'cannot report the state of a device; retrying');
    this.#timers.set(
      device,
      setTimeout(() => {
        this.#timers.delete(device);
        this.#queue.add(device);
      }, delayMs),
    );
  }
}
