import type pino from 'pino';
import type { RpcEndpoint } from '../contract.ts';
import { dispatch } from '../dispatch.ts';
import type { Consumer, Message } from './queue.ts';

/** Concurrent handlers of one server; oslo.messaging's executor_thread_pool_size. */
const MAX_RUNNING = 64;
/** Milliseconds that closing a server waits for running handlers. */
const DRAIN_MS = 5_000;

/** One server of a topic: runs the handlers of its endpoint for the messages it consumes. */
export class MemoryServer implements Consumer {
  readonly #topic: string;
  readonly #endpoint: RpcEndpoint;
  readonly #log: pino.Logger;
  readonly #whenFree: () => void;
  #running = 0;
  #whenIdle: (() => void) | undefined;
  #draining: Promise<void> | undefined;

  constructor(topic: string, endpoint: RpcEndpoint, log: pino.Logger, whenFree: () => void) {
    this.#topic = topic;
    this.#endpoint = endpoint;
    this.#log = log;
    this.#whenFree = whenFree;
  }

  get free(): number {
    return MAX_RUNNING - this.#running;
  }

  take(message: Message): void {
    this.#running += 1;
    void this.#handle(message).finally(() => {
      this.#running -= 1;
      if (this.#running === 0) this.#whenIdle?.();
      this.#whenFree();
    });
  }

  /** Resolves when no handler runs any more, or after DRAIN_MS. MUST be called after the server was removed from its queues. */
  drain(): Promise<void> {
    this.#draining ??= this.#untilIdle();
    return this.#draining;
  }

  async #untilIdle(): Promise<void> {
    if (this.#running === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#whenIdle = resolve;
    const timer = setTimeout(() => {
      this.#log.warn(
        { topic: this.#topic, running: this.#running },
        `handlers still run after ${DRAIN_MS} ms; not waiting`,
      );
      resolve();
    }, DRAIN_MS);
    await promise;
    clearTimeout(timer);
  }

  async #handle(message: Message): Promise<void> {
    const { method, version, answer } = message;
    try {
      const result = await dispatch(this.#endpoint, method, version, JSON.parse(message.text));
      answer?.({ result: JSON.stringify(result) ?? 'null' });
    } catch (error) {
      if (answer) answer({ failure: error });
      else this.#log.error({ err: error, topic: this.#topic, method }, 'handling a cast failed');
    }
  }
}
