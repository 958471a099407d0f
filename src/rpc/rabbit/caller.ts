import { randomUUID } from 'node:crypto';
import type pino from 'pino';
import { backoffDelay } from '../../time/backoff.ts';
import { pause } from '../../time/pause.ts';
import { MessageNotSent, MessagingTimeout, QueueFull, TransportClosed } from '../errors.ts';
import { decodeReply } from './envelope.ts';
import { decodeFailure } from './failure.ts';
import type { Outgoing, Publisher, Sent } from './publisher.ts';
import type { Delivery } from './subscription.ts';

/** A pending call. */
export interface Call {
  readonly topic: string;
  readonly method: string;
  readonly version: string;
  readonly timeoutMs: number;
  /** 32 hexadecimal digits, echoed in the answer. */
  readonly messageId: string;
  readonly request: Outgoing;
}

interface Waiting {
  readonly call: Call;
  readonly settle: (outcome: { readonly result: unknown } | Error) => void;
  result: unknown;
  failure: Error | undefined;
}

/** Maximum number of calls waiting for a reply. */
const MAX_CALLS = 50_000;
/** Milliseconds before the second attempt to reach the queue of a topic that has no server yet. */
const FIRST_LOOK_MS = 100;
const MAX_LOOK_MS = 2_000;

/** Returns a new id like oslo.messaging's: 32 hexadecimal digits. */
export const newId = (): string => randomUUID().replaceAll('-', '');

/** Sends calls and matches them with their answers. */
export class Caller {
  readonly #publisher: Publisher;
  readonly #log: pino.Logger;
  readonly #state: () => string;
  readonly #waiting = new Map<string, Waiting>();

  /** `state` describes the connection in errors. */
  constructor(publisher: Publisher, log: pino.Logger, state: () => string) {
    this.#publisher = publisher;
    this.#log = log;
    this.#state = state;
  }

  /**
   * Sends a call, as soon as `ready`, and resolves to its result. Throws MessagingTimeout, RemoteError, UnsupportedVersion,
   * NoSuchMethod, TransportClosed, QueueFull.
   */
  async call(call: Call, ready: Promise<void>): Promise<unknown> {
    if (this.#waiting.size >= MAX_CALLS) throw new QueueFull(`of calls that wait for an answer`, MAX_CALLS);
    const { topic, method, timeoutMs, messageId } = call;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const over = new AbortController();
    let why = '';
    const timer = setTimeout(
      () => waiting.settle(new MessagingTimeout(topic, method, timeoutMs, why || this.#state())),
      timeoutMs,
    );
    const waiting: Waiting = {
      call,
      settle: (outcome) => {
        if (!this.#waiting.delete(messageId)) return;
        clearTimeout(timer);
        over.abort();
        if (outcome instanceof Error) reject(outcome);
        else resolve(outcome.result);
      },
      result: null,
      failure: undefined,
    };
    this.#waiting.set(messageId, waiting);
    this.#deliver(call, ready, over.signal, (text) => {
      why = text;
    }).catch((error: Error) => {
      // The call times out together with its message, and its own error is more specific.
      if (!(error instanceof MessageNotSent && error.late)) waiting.settle(error);
    });
    return promise;
  }

  /** Handles a reply; a reply without a waiting call is dropped. */
  take(delivery: Delivery): void {
    delivery.ack();
    try {
      const reply = decodeReply(delivery.body);
      const waiting = this.#waiting.get(reply.messageId);
      if (!waiting) {
        this.#log.debug({ messageId: reply.messageId }, 'an answer came too late, or twice; it is dropped');
        return;
      }
      const { topic, method, version } = waiting.call;
      // Old servers send the result first and `ending` in a second message; a monitored call gets empty signs of life.
      if (reply.result !== null) waiting.result = reply.result;
      if (reply.failure !== undefined) waiting.failure = decodeFailure(topic, method, version, reply.failure);
      if (reply.ending) waiting.settle(waiting.failure ?? { result: waiting.result });
    } catch (error) {
      this.#log.warn({ err: error }, 'cannot read an answer; it is dropped');
    }
  }

  /** Fails all pending calls; returns how many replies may still arrive. */
  close(): number {
    const owed = this.#waiting.size;
    for (const { settle } of [...this.#waiting.values()]) settle(new TransportClosed('waiting for an answer'));
    return owed;
  }

  /**
   * Tries again until the call times out if the queue of the topic does not exist yet, because server and agents may start in
   * any order.
   */
  async #deliver(
    { request }: Call,
    ready: Promise<void>,
    over: AbortSignal,
    because: (why: string) => void,
  ): Promise<void> {
    await ready;
    const sent = await publishUntilTaken(this.#publisher, request, over, () => {
      because(`${this.#state()} has no queue ${request.routingKey}: it has not been served yet`);
      return true;
    });
    if (sent === 'taken') because(`${this.#state()} has it; its server is busy, gone, or has died meanwhile`);
  }
}

/** Publishes a message, again and again while no queue takes it, `again` agrees, and it has not timed out. */
export async function publishUntilTaken(
  publisher: Publisher,
  message: Outgoing,
  over: AbortSignal,
  again: () => boolean,
): Promise<Sent> {
  const deadline = Date.now() + message.timeoutMs;
  let timeoutMs = message.timeoutMs;
  for (let looks = 1; ; looks += 1) {
    const sent = await publisher.publish({ ...message, timeoutMs });
    if (sent === 'taken' || !again()) return sent;
    const delay = backoffDelay(looks, { firstMs: FIRST_LOOK_MS, maxMs: MAX_LOOK_MS });
    if (Date.now() + delay >= deadline || !(await pause(delay, over))) return sent;
    timeoutMs = Math.max(1, deadline - Date.now());
  }
}
