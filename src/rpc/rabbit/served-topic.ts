import type pino from 'pino';
import { waitFor } from '../../time/wait.ts';
import type { RpcEndpoint } from '../contract.ts';
import { dispatch } from '../dispatch.ts';
import { UnsupportedVersion } from '../errors.ts';
import { newId } from './caller.ts';
import { decodeRequest, encodeReply, type Request } from './envelope.ts';
import { encodeFailure, isExpected } from './failure.ts';
import type { Replier } from './replier.ts';
import type { SeenMessages } from './seen-messages.ts';
import type { Delivery } from './subscription.ts';

/** Milliseconds that closing a server waits for running handlers. */
const DRAIN_MS = 5_000;

export interface ServedTopicOptions {
  readonly topic: string;
  readonly endpoint: RpcEndpoint;
  readonly replier: Replier;
  /** Shared by all servers of this process. */
  readonly seen: SeenMessages;
  readonly log: pino.Logger;
}

/**
 * Runs an endpoint's handlers for the messages of its queues. A cast is acknowledged when its handler has ended, a call when
 * its answer is safe with the broker: the messages of a dying process are delivered again, here or to another server.
 */
export class ServedTopic {
  readonly #options: ServedTopicOptions;
  readonly #log: pino.Logger;
  #running = 0;
  #whenIdle: (() => void) | undefined;

  constructor(options: ServedTopicOptions) {
    this.#options = options;
    this.#log = options.log.child({ topic: options.topic });
  }

  /** Handles a message; the handler starts before this returns, so that messages are handled in order. */
  take(delivery: Delivery): void {
    let request: Request;
    try {
      request = decodeRequest(delivery.body);
    } catch (error) {
      this.#log.warn({ err: error, queue: delivery.queue }, 'cannot read a message; it is dropped');
      delivery.drop();
      return;
    }
    const work = () => this.#work(request, delivery);
    if (request.uniqueId === undefined) {
      void work().then(delivery.ack);
      return;
    }
    const { first, done } = this.#options.seen.once(delivery.queue, request.uniqueId, work);
    if (!first)
      this.#log.debug(
        { method: request.method, uniqueId: request.uniqueId },
        'a message came twice; it is handled once',
      );
    void done.then(delivery.ack);
  }

  /** Resolves when no handler runs any more, or after a few seconds. */
  async drain(): Promise<void> {
    if (this.#running === 0) return;
    const idle = new Promise<void>((resolve) => {
      this.#whenIdle = resolve;
    });
    await waitFor('handlers', idle, DRAIN_MS).catch(() =>
      this.#log.warn({ running: this.#running }, `handlers still run after ${DRAIN_MS} ms; not waiting`),
    );
  }

  /** Never throws. */
  async #work(request: Request, delivery: Delivery): Promise<void> {
    this.#running += 1;
    try {
      if (request.call) await this.#answer(request, request.call, delivery.livesMs);
      else await this.#dispatch(request);
    } catch (error) {
      const { method, requestId } = request;
      this.#log.error({ err: error, method, requestId }, `handling a ${request.call ? 'call' : 'cast'} failed`);
    } finally {
      this.#running -= 1;
      if (this.#running === 0) this.#whenIdle?.();
    }
  }

  async #answer(request: Request, call: NonNullable<Request['call']>, livesMs: number | undefined): Promise<void> {
    const { method, requestId, monitorSeconds } = request;
    const { replier } = this.#options;
    const { messageId, replyQueue } = call;
    const stopBeating = monitorSeconds === undefined ? undefined : replier.beat(messageId, replyQueue, monitorSeconds);
    const uniqueId = newId();
    let body: Buffer;
    try {
      const result = await this.#dispatch(request);
      body = encodeReply({ messageId, uniqueId, result, ending: true });
    } catch (error) {
      if (isExpected(error)) this.#log.debug({ err: error, method, requestId }, 'a call is answered with a failure');
      else this.#log.error({ err: error, method, requestId }, 'handling a call failed; its caller gets the error');
      body = encodeReply({ messageId, uniqueId, failure: encodeFailure(error), ending: true });
    } finally {
      stopBeating?.();
    }
    await replier.send({ method, replyQueue, uniqueId, body, livesMs });
  }

  async #dispatch({ method, version, namespace, args }: Request): Promise<unknown> {
    // Like oslo.messaging when no endpoint has the namespace.
    if (namespace !== undefined) throw new UnsupportedVersion(method, version);
    return dispatch(this.#options.endpoint, method, version, args);
  }
}
