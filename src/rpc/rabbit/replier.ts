import type pino from 'pino';
import { backoffDelay } from '../../time/backoff.ts';
import { pause } from '../../time/pause.ts';
import { newId } from './caller.ts';
import { encodeReply } from './envelope.ts';
import type { Publisher } from './publisher.ts';

export interface Answer {
  readonly method: string;
  readonly replyQueue: string;
  readonly uniqueId: string;
  readonly body: Buffer;
  /** Milliseconds that the caller waits, if known. */
  readonly livesMs: number | undefined;
}

const FIRST_RETRY_MS = 250;
const MAX_RETRY_MS = 5_000;
/** Maximum number of answers that wait for their queue; further ones are dropped at once. */
const MAX_RETRYING = 1_000;

/** Sends answers to the reply queues of the callers. */
export class Replier {
  readonly #publisher: Publisher;
  readonly #log: pino.Logger;
  readonly #defaultMs: number;
  readonly #missingQueueMs: number;
  readonly #stop = new AbortController();
  #retrying = 0;

  /** `defaultMs`: lifetime of an answer whose caller named none; `missingQueueMs`: how long to wait for a queue that is gone. */
  constructor(publisher: Publisher, log: pino.Logger, defaultMs: number, missingQueueMs: number) {
    this.#publisher = publisher;
    this.#log = log;
    this.#defaultMs = defaultMs;
    this.#missingQueueMs = missingQueueMs;
  }

  /**
   * Resolves when the answer is safe with the broker, or when its caller's queue is gone. Then it is sent again for a while,
   * because a caller that lost its connection declares its queue again, and dropped after that. Never throws.
   */
  async send(answer: Answer): Promise<void> {
    try {
      if ((await this.#publish(answer, answer.livesMs ?? this.#defaultMs)) === 'unroutable') void this.#retry(answer);
    } catch (error) {
      this.#log.warn({ err: error, method: answer.method }, 'cannot send an answer; its caller will time out');
    }
  }

  /** Sends signs of life to a caller that monitors its call, two for each period it tolerates; returns what stops them. */
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

  async #retry(answer: Answer): Promise<void> {
    const deadline = Date.now() + Math.min(this.#missingQueueMs, answer.livesMs ?? this.#missingQueueMs);
    this.#retrying += 1;
    try {
      for (let tries = 1; this.#retrying <= MAX_RETRYING; tries += 1) {
        const delay = backoffDelay(tries, { firstMs: FIRST_RETRY_MS, maxMs: MAX_RETRY_MS });
        if (Date.now() + delay > deadline || !(await pause(delay, this.#stop.signal))) break;
        if ((await this.#publish(answer, deadline - Date.now())) === 'taken') return;
      }
    } catch (error) {
      this.#log.debug({ err: error }, 'stopped waiting for a reply queue');
    } finally {
      this.#retrying -= 1;
    }
    const { method, replyQueue } = answer;
    this.#log.info({ method, replyQueue }, 'the caller and its queue are gone; its answer is dropped');
  }
}
