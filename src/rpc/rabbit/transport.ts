import type pino from 'pino';
import { pause } from '../../time/pause.ts';
import { waitFor } from '../../time/wait.ts';
import type { RpcArgs, RpcCallOptions, RpcEndpoint, RpcTarget, RpcTransport } from '../contract.ts';
import { TransportClosed } from '../errors.ts';
import { Caller, newId, publishUntilTaken } from './caller.ts';
import { encodeRequest } from './envelope.ts';
import { Link, type LinkUser, type Pair } from './link.ts';
import { type Outgoing, Publisher } from './publisher.ts';
import { Replier } from './replier.ts';
import { requestContext } from './request-context.ts';
import { SeenMessages } from './seen-messages.ts';
import { ServedTopic } from './served-topic.ts';
import { type RabbitConfig, type RabbitSettings, rabbitSettings } from './settings.ts';
import { type Delivery, Subscription } from './subscription.ts';
import {
  controlExchange,
  fanoutExchange,
  type QueuePlan,
  replyQueue,
  serverQueues,
  topicQueueName,
} from './topology.ts';

export interface RabbitTransportOptions {
  readonly config: RabbitConfig;
  readonly log: pino.Logger;
  /** Name of this process in the broker's list of connections: `neutrino-server`. */
  readonly programName: string;
}

/** Milliseconds that `serve` waits for a broker; after that, serving starts once there is one. */
const SERVE_MS = 10_000;
/** Milliseconds that closing waits for messages to be confirmed. */
const DRAIN_MS = 5_000;
/** setTimeout's bound. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/**
 * Returns RPC over RabbitMQ as oslo.messaging 2.0 speaks it: stock Neutron servers and agents may be on the other side. Starts to
 * connect at once and works without a broker too: calls and casts wait for one until they time out. Throws ConfigError for
 * an invalid transport_url or options.
 */
export function createRabbitTransport({ config, log, programName }: RabbitTransportOptions): RpcTransport {
  const settings = rabbitSettings(config);
  if (settings.ignored.length > 0)
    log.warn(`transport_url: these options have no effect here: ${settings.ignored.join(', ')}`);
  return new RabbitTransport(settings, log, programName);
}

class RabbitTransport implements RpcTransport, LinkUser {
  readonly #settings: RabbitSettings;
  readonly #log: pino.Logger;
  readonly #link: Link;
  readonly #publisher: Publisher;
  readonly #caller: Caller;
  readonly #replier: Replier;
  readonly #seen = new SeenMessages();
  readonly #replyQueue: QueuePlan;
  #replies: Subscription | undefined;
  readonly #subscriptions = new Set<Subscription>();
  readonly #servers = new Set<() => Promise<void>>();
  #pair: Pair | undefined;
  #closing: Promise<void> | undefined;
  readonly #over = new AbortController();

  constructor(settings: RabbitSettings, log: pino.Logger, programName: string) {
    this.#settings = settings;
    this.#log = log;
    this.#replyQueue = replyQueue(settings, newId());
    const state = (): string => this.#link.state;
    const onStuck = (why: string): void => this.#link.break(why);
    this.#publisher = new Publisher({ log, state, onStuck });
    this.#caller = new Caller(this.#publisher, log, state);
    const { responseTimeoutMs, missingReplyQueueMs } = settings;
    this.#replier = new Replier(this.#publisher, log, responseTimeoutMs, missingReplyQueueMs);
    this.#link = new Link({ settings, programName, log }, this);
  }

  async up(pair: Pair): Promise<void> {
    this.#pair = pair;
    // First the queues, then the messages that wait: an answer must find its queue.
    await Promise.all([...this.#subscriptions].map((one) => one.up(pair.consume)));
    await this.#publisher.up(pair.publish);
  }

  down(): void {
    this.#pair = undefined;
    for (const one of this.#subscriptions) one.down();
    this.#publisher.down();
  }

  async call(target: RpcTarget, method: string, args: RpcArgs, options: RpcCallOptions = {}): Promise<unknown> {
    const { topic } = target;
    if (this.#closing) throw new TransportClosed(`call of ${method} on ${topic}`);
    if (target.fanout) throw new TypeError(`call of ${method} on ${topic}: only a cast can go to all servers`);
    const messageId = newId();
    const request = this.#request(target, method, args, options, { messageId, replyQueue: this.#replyQueue.name });
    const { version = '1.0' } = options;
    return this.#caller.call(
      { topic, method, version, timeoutMs: request.timeoutMs, messageId, request },
      this.#replyQueueReady(),
    );
  }

  async cast(target: RpcTarget, method: string, args: RpcArgs, options: RpcCallOptions = {}): Promise<void> {
    if (this.#closing) throw new TransportClosed(`cast of ${method} on ${target.topic}`);
    const message = this.#request(target, method, args, options);
    // After a restart of the broker the queues of topics are missing until their servers are back.
    await publishUntilTaken(this.#publisher, message, this.#over.signal, () => !this.#link.settled);
  }

  async serve(
    topic: string,
    server: string,
    endpoint: RpcEndpoint,
    onGap?: () => void,
  ): Promise<{ close(): Promise<void> }> {
    if (this.#closing) throw new TransportClosed(`serve ${topic} as ${server}`);
    const queues = serverQueues(this.#settings, topic, server, newId());
    const served = new ServedTopic({
      topic,
      endpoint,
      replier: this.#replier,
      seen: this.#seen,
      log: this.#log,
    });
    const subscription = this.#subscribe(topic, queues, (delivery) => served.take(delivery), onGap);

    const stop = async (): Promise<void> => {
      this.#servers.delete(close);
      await subscription.cancel();
      await served.drain();
      // The queues stay, like a stock server's: without the fanout queue the exchange would be deleted, and stock senders fail.
      await subscription.close();
      this.#subscriptions.delete(subscription);
    };
    let stopping: Promise<void> | undefined;
    const close = (): Promise<void> => {
      stopping ??= stop();
      return stopping;
    };
    this.#servers.add(close);
    if (!(await this.#isServed(topic, subscription, close)))
      this.#log.warn(`${topic} will be served once RabbitMQ is reachable: ${this.#link.state}`);
    return { close };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const owed = this.#caller.close();
    this.#over.abort();
    await Promise.all([...this.#servers].map((close) => close()));
    this.#replier.close();
    if (this.#pair) await waitFor('sending', this.#publisher.drain(), DRAIN_MS).catch(() => undefined);
    this.#publisher.close();
    await this.#replies?.cancel();
    // A stock server keeps trying for a minute to answer to a queue that is gone, and logs an error.
    await this.#replies?.close(owed === 0 ? [this.#replyQueue.name] : []);
    await this.#link.close();
  }

  /** Whether the queues exist; throws when the broker refuses them, or the transport is closed meanwhile. */
  async #isServed(topic: string, subscription: Subscription, close: () => Promise<void>): Promise<boolean> {
    const over = new AbortController();
    const waited = pause(SERVE_MS, AbortSignal.any([over.signal, this.#over.signal])).then(() => false);
    try {
      const started = await Promise.race([subscription.started.then(() => true), waited]);
      if (this.#over.signal.aborted) throw new TransportClosed(`serve ${topic}`);
      return started;
    } catch (error) {
      await close();
      throw error;
    } finally {
      over.abort();
    }
  }

  #subscribe(
    what: string,
    queues: readonly QueuePlan[],
    onMessage: (delivery: Delivery) => void,
    onGap?: () => void,
  ): Subscription {
    const { prefetch, retryFirstMs: firstMs, retryMaxMs: maxMs } = this.#settings;
    const onStuck = (why: string): void => this.#link.break(why);
    const retry = { firstMs, maxMs };
    const subscription = new Subscription({ what, queues, prefetch, retry, log: this.#log, onMessage, onStuck, onGap });
    this.#subscriptions.add(subscription);
    if (this.#pair) void subscription.up(this.#pair.consume);
    return subscription;
  }

  /** The reply queue is declared with the first call: a process that only serves needs none. */
  #replyQueueReady(): Promise<void> {
    this.#replies ??= this.#subscribe('answers', [this.#replyQueue], (delivery) => this.#caller.take(delivery));
    return this.#replies.started;
  }

  #request(
    target: RpcTarget,
    method: string,
    args: RpcArgs,
    options: RpcCallOptions,
    call?: { readonly messageId: string; readonly replyQueue: string },
  ): Outgoing {
    const { topic, server, fanout } = target;
    const { version = '1.0', timeoutMs = this.#settings.responseTimeoutMs } = options;
    if (!(timeoutMs > 0))
      throw new TypeError(`${method} on ${topic}: timeoutMs must be a number above 0, not ${timeoutMs}`);
    const uniqueId = newId();
    return {
      what: `${method} to ${fanout ? `all of ${topic}` : topicQueueName(topic, server)}`,
      exchange: fanout ? fanoutExchange(topic) : controlExchange(this.#settings),
      routingKey: fanout ? '' : topicQueueName(topic, server),
      body: encode(topic, { method, args, version, uniqueId, context: requestContext(), ...(call ? { call } : {}) }),
      uniqueId,
      mandatory: !fanout,
      timeoutMs: Math.min(timeoutMs, MAX_TIMEOUT_MS),
      expires: call !== undefined,
    };
  }
}

/** Throws TypeError that names the method for values that JSON cannot represent. */
function encode(topic: string, request: Parameters<typeof encodeRequest>[0]): Buffer {
  try {
    return encodeRequest(request);
  } catch (error) {
    throw new TypeError(`arguments of ${request.method} on ${topic} cannot be sent: ${(error as Error).message}`);
  }
}
