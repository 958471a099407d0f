import type { Channel, ChannelModel, ConsumeMessage } from 'amqplib';
import type pino from 'pino';
import { backoffDelay } from '../../time/backoff.ts';
import { waitFor } from '../../time/wait.ts';
import { TransportClosed } from '../errors.ts';
import type { QueuePlan } from './topology.ts';

/** A delivered message. It MUST be acknowledged or dropped; on a lost channel both do nothing, and it is delivered again. */
export interface Delivery {
  readonly body: Buffer;
  readonly queue: string;
  /** Lifetime in milliseconds that the sender gave it; undefined: unlimited. */
  readonly livesMs: number | undefined;
  ack(): void;
  drop(): void;
}

export interface SubscriptionOptions {
  /** What is served, in errors and logs. */
  readonly what: string;
  readonly queues: readonly QueuePlan[];
  /** Maximum number of unacknowledged messages of each queue. */
  readonly prefetch: number;
  readonly retry: { readonly firstMs: number; readonly maxMs: number };
  readonly log: pino.Logger;
  readonly onMessage: (delivery: Delivery) => void;
  /** Called when the broker has stopped answering. */
  readonly onStuck: (why: string) => void;
  /** Called when the broker has forgotten a queue that existed, with all its messages. */
  readonly onGap?: (() => void) | undefined;
}

/** Milliseconds to declare all queues, and to close. */
const SET_UP_MS = 20_000;
const GOODBYE_MS = 5_000;
/** Consecutive tries when an exchange is deleted with its last queue between its declaration and its binding. */
const RACES = 3;

/**
 * Consumes queues on a separate channel: declares exchanges, queues and bindings, and does so again on every new connection,
 * and when the broker closes the channel or cancels a consumer.
 */
export class Subscription {
  readonly #options: SubscriptionOptions;
  readonly #log: pino.Logger;
  readonly #started = Promise.withResolvers<void>();
  #connection: ChannelModel | undefined;
  #channel: Channel | undefined;
  #tags: string[] = [];
  #failures = 0;
  #retry: NodeJS.Timeout | undefined;
  #settingUp: Promise<void> = Promise.resolve();
  #stopped = false;
  /** Whether the queues have existed. */
  #declared = false;
  /** Whether one of them was missing afterwards, and `onGap` has not been called yet. */
  #gap = false;

  constructor(options: SubscriptionOptions) {
    this.#options = options;
    this.#log = options.log.child({ subscription: options.what });
    this.#started.promise.catch(() => undefined);
  }

  /** Resolves when consuming starts; rejects when the broker refuses the queues at the first try, or on `cancel`. */
  get started(): Promise<void> {
    return this.#started.promise;
  }

  /** The connection is up. Resolves after the first try, which may have failed: more follow while the connection lasts. */
  async up(connection: ChannelModel): Promise<void> {
    this.#connection = connection;
    this.#failures = 0;
    await this.#setUp(connection);
  }

  /** The connection is lost. */
  down(): void {
    this.#connection = undefined;
    this.#channel = undefined;
    clearTimeout(this.#retry);
  }

  /** Stops consuming; delivered messages can still be acknowledged. */
  async cancel(): Promise<void> {
    this.#stopped = true;
    this.#started.reject(new TransportClosed(`serve ${this.#options.what}`));
    clearTimeout(this.#retry);
    await waitFor('setting up', this.#settingUp, GOODBYE_MS).catch(() => undefined);
    const channel = this.#channel;
    if (!channel) return;
    const cancelling = Promise.all(this.#tags.map((tag) => channel.cancel(tag)));
    await waitFor('cancelling', cancelling, GOODBYE_MS).catch(() => undefined);
  }

  /** Closes the channel after `cancel`, and deletes queues that will have no consumer. */
  async close(deleted: readonly string[] = []): Promise<void> {
    const channel = this.#channel;
    this.#channel = undefined;
    if (!channel) return;
    const goodbye = async (): Promise<void> => {
      for (const queue of deleted) await channel.deleteQueue(queue);
      await channel.close();
    };
    await waitFor('goodbye', goodbye(), GOODBYE_MS).catch(() => undefined);
  }

  #setUp(connection: ChannelModel): Promise<void> {
    this.#settingUp = this.#trySetUp(connection);
    return this.#settingUp;
  }

  async #trySetUp(connection: ChannelModel): Promise<void> {
    const stale = (): boolean => this.#stopped || connection !== this.#connection;
    for (let races = 1; !stale(); races += 1) {
      try {
        await waitFor(`setting up ${this.#options.what}`, this.#declareAndConsume(connection), SET_UP_MS);
        this.#failures = 0;
        this.#declared = true;
        this.#started.resolve();
        this.#reportGap();
        return;
      } catch (error) {
        if (stale()) return;
        const { code, message } = error as { code?: unknown; message: string };
        if (code === 404 && races < RACES) continue;
        if (typeof code !== 'number') {
          // No answer, or the connection was lost: the queues are not the cause.
          this.#options.onStuck(message);
          return;
        }
        this.#failed(connection, new Error(`cannot serve ${this.#options.what}: ${advice(code, message)}`));
        return;
      }
    }
  }

  /** Called once consuming has resumed: state read from now on misses no message. */
  #reportGap(): void {
    if (!this.#gap) return;
    this.#gap = false;
    this.#log.info('the broker had forgotten the queues and the messages in them');
    this.#options.onGap?.();
  }

  /** Looks for queues that existed: declaring them would create the missing ones silently. */
  async #findGap(connection: ChannelModel): Promise<void> {
    if (!this.#declared || this.#gap || !this.#options.onGap) return;
    for (const { name } of this.#options.queues) {
      // Checking a queue that does not exist closes the channel.
      const channel = await connection.createChannel();
      channel.on('error', () => undefined);
      try {
        await channel.checkQueue(name);
        await channel.close();
      } catch (error) {
        if ((error as { readonly code?: unknown }).code !== 404) throw error;
        this.#gap = true;
        return;
      }
    }
  }

  async #declareAndConsume(connection: ChannelModel): Promise<void> {
    const { queues, prefetch } = this.#options;
    await this.#findGap(connection);
    const channel = await connection.createChannel();
    let closed = false;
    let why: Error | undefined;
    channel.on('error', (error) => {
      why = error;
    });
    channel.on('close', () => {
      closed = true;
      this.#lost(connection, channel, why);
    });
    await channel.prefetch(prefetch);
    for (const { name, durable, autoDelete, arguments: args, binding } of queues) {
      if (binding) {
        const { exchange } = binding;
        const { durable: lasting, autoDelete: passing } = exchange;
        await channel.assertExchange(exchange.name, exchange.type, { durable: lasting, autoDelete: passing });
      }
      await channel.assertQueue(name, { durable, autoDelete, exclusive: false, arguments: args });
      if (binding) await channel.bindQueue(name, binding.exchange.name, binding.key);
    }
    this.#tags = [];
    for (const { name } of queues) {
      const { consumerTag } = await channel.consume(name, (message) => this.#take(channel, name, message));
      this.#tags.push(consumerTag);
    }
    if (closed) throw why ?? new Error('the channel was closed');
    if (connection === this.#connection) this.#channel = channel;
  }

  #take(channel: Channel, queue: string, message: ConsumeMessage | null): void {
    if (message === null) {
      // The broker cancelled the consumer: its queue was deleted, or moved to another node.
      this.#log.warn({ queue }, 'the queue is gone; declaring it again');
      void channel.close().catch(() => undefined);
      return;
    }
    const { expiration } = message.properties;
    const livesMs = Number(expiration);
    this.#options.onMessage({
      body: message.content,
      queue,
      livesMs: expiration === undefined || !(livesMs >= 0) ? undefined : livesMs,
      ack: () => ignoringClosed(() => channel.ack(message)),
      drop: () => ignoringClosed(() => channel.reject(message, false)),
    });
  }

  /** The channel is closed. If it was still being set up, the setup fails on its own. */
  #lost(connection: ChannelModel, channel: Channel, why: Error | undefined): void {
    if (channel !== this.#channel) return;
    this.#channel = undefined;
    if (connection !== this.#connection || this.#stopped) return;
    if (why !== undefined) this.#log.warn(`RabbitMQ closed the channel (${why.message}); opening it again`);
    this.#again(connection);
  }

  #failed(connection: ChannelModel, error: Error): void {
    if (this.#failures === 0) this.#log.error(error.message);
    this.#started.reject(error);
    this.#again(connection);
  }

  #again(connection: ChannelModel): void {
    this.#failures += 1;
    const { firstMs, maxMs } = this.#options.retry;
    clearTimeout(this.#retry);
    this.#retry = setTimeout(
      () => {
        if (!this.#stopped && connection === this.#connection) void this.#setUp(connection);
      },
      backoffDelay(this.#failures, { firstMs: firstMs / 10, maxMs }),
    );
  }
}

function ignoringClosed(action: () => void): void {
  try {
    action();
  } catch {
    // The channel is closed: the broker delivers the message again, and it is recognised then.
  }
}

function advice(code: number, message: string): string {
  if (code === 406) {
    return (
      `${message}; it was declared differently before: set amqp_durable_queues, amqp_auto_delete and rabbit_quorum_queue in ` +
      '[oslo_messaging_rabbit] like the other processes, or delete it with rabbitmqctl delete_queue if it is unused'
    );
  }
  if (code === 403) return `${message}; allow it with rabbitmqctl set_permissions`;
  return message;
}
