import * as amqp from 'amqplib';
import type { Broker } from '../../support/rabbitmq.ts';
import { RABBIT_PASSWORD, RABBIT_USER } from '../../support/rabbitmq.ts';

/** A message as a bare client saw it. */
export interface Seen {
  readonly exchange: string;
  readonly routingKey: string;
  readonly properties: Readonly<Record<string, unknown>>;
  readonly body: Buffer;
  /** The inner message. */
  readonly payload: Readonly<Record<string, unknown>>;
}

/** A plain AMQP client: what a stock process would see and send, without anything of ours in between. */
export interface BareClient {
  readonly channel: amqp.ConfirmChannel;
  /** Consumes a queue; `next` gives its messages in their order. */
  read(queue: string): Promise<{ next(): Promise<Seen> }>;
  /** Publishes and waits for the confirm. */
  send(exchange: string, routingKey: string, body: Buffer, properties?: amqp.Options.Publish): Promise<void>;
  close(): Promise<void>;
}

export async function bareClient(broker: Broker): Promise<BareClient> {
  const model = await amqp.connect({
    hostname: '127.0.0.1',
    port: broker.port,
    username: RABBIT_USER,
    password: RABBIT_PASSWORD,
    vhost: broker.vhost || '/',
  });
  model.on('error', () => undefined);
  const channel = await model.createConfirmChannel();
  channel.on('error', () => undefined);
  return {
    channel,
    read: async (queue) => {
      const waiting: ((seen: Seen) => void)[] = [];
      const messages: Seen[] = [];
      await channel.consume(queue, (message) => {
        if (!message) return;
        channel.ack(message);
        const seen = asSeen(message);
        const taker = waiting.shift();
        if (taker) taker(seen);
        else messages.push(seen);
      });
      return {
        next: async () => messages.shift() ?? (await new Promise<Seen>((resolve) => waiting.push(resolve))),
      };
    },
    send: (exchange, routingKey, body, properties = {}) =>
      new Promise((resolve, reject) => {
        channel.publish(exchange, routingKey, body, properties, (error) => (error ? reject(error) : resolve()));
      }),
    close: async () => {
      await model.close().catch(() => undefined);
    },
  };
}

function asSeen({ fields, properties, content }: amqp.ConsumeMessage): Seen {
  const outer = JSON.parse(content.toString('utf8')) as Record<string, string>;
  return {
    exchange: fields.exchange,
    routingKey: fields.routingKey,
    properties: Object.fromEntries(Object.entries(properties).filter(([, value]) => value !== undefined)),
    body: content,
    payload: JSON.parse(outer['oslo.message'] ?? 'null'),
  };
}
