import { randomUUID } from 'node:crypto';
import type { ChannelModel } from 'amqplib';
import type pino from 'pino';
import { TransportClosed } from '../errors.ts';
import { encodeNotification } from './envelope.ts';
import { Link, type LinkUser, type Pair } from './link.ts';
import { Publisher } from './publisher.ts';
import { type RabbitConfig, type RabbitSettings, rabbitSettings } from './settings.ts';
import { controlExchange, type QueuePlan, topicQueue } from './topology.ts';

/** Milliseconds until RabbitMQ must have confirmed a notification. */
const TIMEOUT_MS = 30_000;
const PRIORITY = 'INFO';

/** A notification to send. */
export interface Notification {
  /** Of whoever causes it: `_context_*` without the prefix. */
  readonly context: Readonly<Record<string, unknown>>;
  /** UUID; the same when it is sent again. */
  readonly messageId: string;
  readonly eventType: string;
  readonly payload: unknown;
  /** UTC, as Python prints it. */
  readonly timestamp: string;
}

export interface NotificationPublisherOptions {
  readonly config: RabbitConfig;
  readonly log: pino.Logger;
  /** Name of this process in the broker's list of connections. */
  readonly programName: string;
  /** Each topic gets every notification, in its queue `TOPIC.info`. */
  readonly topics: readonly string[];
  /** Who notifies: `network.<host>`. */
  readonly publisherId: string;
  /** Whether a notification has the envelope of oslo.messaging 2.0 (driver `messagingv2`). */
  readonly enveloped: boolean;
}

/**
 * Sends notifications to RabbitMQ as oslo.messaging does: to durable or volatile queues (`amqp_durable_queues`), which it declares,
 * so that they keep what nobody consumes yet. Throws ConfigError for an invalid transport_url or options.
 */
export class NotificationPublisher implements LinkUser {
  readonly #settings: RabbitSettings;
  readonly #options: NotificationPublisherOptions;
  readonly #queues: readonly QueuePlan[];
  readonly #link: Link;
  readonly #publisher: Publisher;
  #closed: Promise<void> | undefined;

  constructor(options: NotificationPublisherOptions) {
    const { config, log, programName, topics } = options;
    this.#options = options;
    this.#settings = rabbitSettings(config);
    this.#queues = topics.map((topic) => topicQueue(this.#settings, `${topic}.${PRIORITY.toLowerCase()}`));
    const state = (): string => this.#link.state;
    this.#publisher = new Publisher({ log, state, onStuck: (why) => this.#link.break(why) });
    this.#link = new Link({ settings: this.#settings, programName, log }, this);
  }

  async up({ publish }: Pair): Promise<void> {
    await this.#declare(publish);
    await this.#publisher.up(publish);
  }

  down(): void {
    this.#publisher.down();
  }

  async #declare(connection: ChannelModel): Promise<void> {
    const channel = await connection.createChannel();
    // Without a listener, an error of the channel would end the process; the declaration below rejects with it.
    channel.on('error', () => {});
    const { name, type, durable, autoDelete } = controlExchange(this.#settings);
    await channel.assertExchange(name, type, { durable, autoDelete });
    for (const queue of this.#queues) {
      await channel.assertQueue(queue.name, queue);
      await channel.bindQueue(queue.name, name, queue.name);
    }
    await channel.close();
  }

  /** Resolves when RabbitMQ has confirmed all of them, in order. Throws MessageNotSent, QueueFull, TransportClosed. */
  async send(notifications: readonly Notification[]): Promise<void> {
    if (this.#closed) throw new TransportClosed('notifications');
    const exchange = controlExchange(this.#settings);
    const sent = notifications.flatMap((notification) =>
      this.#queues.map(({ name: routingKey }) => {
        const uniqueId = randomUUID().replaceAll('-', '');
        const body = encodeNotification({ ...notification, ...this.#options, priority: PRIORITY, uniqueId });
        const what = `notification ${notification.eventType} to ${routingKey}`;
        const how = { mandatory: false, timeoutMs: TIMEOUT_MS, expires: false };
        return this.#publisher.publish({ what, exchange, routingKey, body, uniqueId, ...how });
      }),
    );
    await Promise.all(sent);
  }

  /** Closes the connection; what is not confirmed fails. */
  close(): Promise<void> {
    this.#publisher.close();
    this.#closed ??= this.#link.close();
    return this.#closed;
  }
}
