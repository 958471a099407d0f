import type pino from 'pino';
import { backoffDelay, pause } from '../backoff.ts';
import { newId } from './caller.ts';
import { encodeReply } from './envelope.ts';
import type { Publisher } from './publisher.ts';

export interface Answer {
  readonly method: string;
  readonly replyQueue: string;
  readonly uniqueId: string;
  readonly body: Buffer;
  /** Milliseconds that the caller waits, if it said so. */
  readonly livesMs: number | undefined;
}

const FIRST_RETRY_MS = 250;
const MAX_RETRY_MS = 5_000;
/** Answers that look for their queue at most; beyond it they are dropped at once. */
const MAX_LOOKING = 1_000;

/** Sends answers to the callers' queues. */
export class Replier {
  readonly #publisher: Publisher;
  readonly #log: pino.Logger;
  readonly #defaultMs: number;
  readonly #missingQueueMs: number;
  readonly #stop = new AbortController();
  #looking = 0;

  /** `defaultMs`: time of an answer whose caller named none; `missingQueueMs`: how long a queue that is gone is looked for. */
  constructor(publisher: Publisher, log: pino.Logger, defaultMs: number, missingQueueMs: number) {
    this.#publisher = publisher;
    this.#log = log;
    this.#defaultMs = defaultMs;
    this.#missingQueueMs = missingQueueMs;
  }

  /**
   * Resolves when the answer is safe with the broker, or when there is nothing to wait for: its caller's queue is gone. It is
   * then tried again for a while, as a caller that lost its connection makes its queue anew, and dropped. Never throws.
   */
  async send(answer: Answer): Promise<void> {
    try {
      if ((await this.#publish(answer, answer.livesMs ?? this.#defaultMs)) === 'unroutable') void this.#look(answer);
    } catch (error) {
      this.#log.warn({ err: error, method: answer.method }, 'an answer could not be sent; its caller will time out');
    }
  }

  /** Tells a caller that monitors its call that it is worked on, twice in the silence that it bears; gives what stops it. */
  beat(messageId: string, replyQueue: string, seconds: number): () => void {
    const everyMs = Math.min(Math.max(seconds * 500, 100), 3_600_000);
    const timer = setInterval(() => {
      const uniqueId = newId();
      const body = encodeReply({ messageId, uniqueId, ending: false });
      this.#publish({ method: 'sign of life', replyQueue, uniqueId, body, livesMs: undefined }, everyMs).catch(
        () => undefined,
      );
    }, everyMs);
    return () => clearInterval(timer);
  }

  close(): void {
    this.#stop.abort();
  }

  #publish({ method, replyQueue, uniqueId, body }: Answer, timeoutMs: number) {
    const what = `answer to ${method}`;
    return this.#publisher.publish({
      what,
      routingKey: replyQueue,
      body,
      uniqueId,
      mandatory: true,
      timeoutMs: Math.max(1, timeoutMs),
      expires: false,
    });
  }

  async #look(answer: Answer): Promise<void> {
    const deadline = Date.now() + Math.min(this.#missingQueueMs, answer.livesMs ?? this.#missingQueueMs);
    this.#looking += 1;
    try {
      for (let tries = 1; this.#looking <= MAX_LOOKING; tries += 1) {
        const delay = backoffDelay(tries, { firstMs: FIRST_RETRY_MS, maxMs: MAX_RETRY_MS });
        if (Date.now() + delay > deadline || !(await pause(delay, this.#stop.signal))) break;
        if ((await this.#publish(answer, deadline - Date.now())) === 'taken') return;
      }
    } catch (error) {
      this.#log.debug({ err: error }, 'looking for a queue ended');
    } finally {
      this.#looking -= 1;
    }
    const { method, replyQueue } = answer;
    this.#log.info({ method, replyQueue }, 'the caller has gone with its queue; its answer is dropped');
  }
}
