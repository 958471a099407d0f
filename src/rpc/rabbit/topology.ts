import type { RabbitSettings } from './settings.ts';

/** How an exchange must be declared: RabbitMQ refuses a second declaration that differs. */
export interface ExchangePlan {
  readonly name: string;
  readonly type: 'topic' | 'fanout';
  readonly durable: boolean;
  readonly autoDelete: boolean;
}

export interface QueuePlan {
  readonly name: string;
  readonly durable: boolean;
  readonly autoDelete: boolean;
  readonly arguments: Readonly<Record<string, number | string>>;
  /** Absent: the queue is reached only by its name, through the default exchange. */
  readonly binding?: { readonly exchange: ExchangePlan; readonly key: string };
}

type Shape = Pick<RabbitSettings, 'controlExchange' | 'queues' | 'transientQueueTtlMs'>;

/** AMQP names are short strings, whose length is one octet. */
const MAX_NAME_BYTES = 255;

/** Returns the exchange of all topics. */
export function controlExchange({ controlExchange: name, queues }: Shape): ExchangePlan {
  return { name, type: 'topic', durable: queues.durable, autoDelete: queues.autoDelete };
}

/** Returns the exchange that copies a message to all servers of a topic; it is deleted with the last of their queues. */
export function fanoutExchange(topic: string): ExchangePlan {
  return { name: checkedName(`${topic}_fanout`), type: 'fanout', durable: false, autoDelete: true };
}

/** Returns the name of the queue of a topic or of one of its servers, which is its routing key on the control exchange too. */
export function topicQueueName(topic: string, server?: string): string {
  return checkedName(server === undefined ? topic : `${topic}.${server}`);
}

/**
 * Returns the three queues of a server of a topic, as oslo.messaging declares them: `T`, which all servers share, `T.server`, and
 * `T_fanout_<id>`, which only this server has. `id` is 32 hexadecimal digits.
 */
export function serverQueues(shape: Shape, topic: string, server: string, id: string): readonly QueuePlan[] {
  return [
    topicQueue(shape, topicQueueName(topic)),
    topicQueue(shape, topicQueueName(topic, server)),
    {
      ...transientQueue(shape, checkedName(`${topic}_fanout_${id}`)),
      binding: { exchange: fanoutExchange(topic), key: topic },
    },
  ];
}

/** Returns the queue of a topic, of one of its servers, or of notifications; its name is its routing key on the control exchange. */
export function topicQueue(shape: Shape, name: string): QueuePlan {
  const { quorum, durable, autoDelete } = shape.queues;
  return {
    name: checkedName(name),
    durable,
    autoDelete,
    arguments: quorum ? { 'x-queue-type': 'quorum' } : {},
    binding: { exchange: controlExchange(shape), key: name },
  };
}

/** Returns the queue for the answers to the calls of one process. */
export function replyQueue(shape: Shape, id: string): QueuePlan {
  return transientQueue(shape, `reply_${id}`);
}

/** Neither durable nor exclusive, so that it outlives a lost connection; without a consumer it expires. */
function transientQueue({ transientQueueTtlMs }: Shape, name: string): QueuePlan {
  return { name, durable: false, autoDelete: false, arguments: { 'x-expires': transientQueueTtlMs } };
}

function checkedName(name: string): string {
  if (Buffer.byteLength(name) <= MAX_NAME_BYTES) return name;
  throw new TypeError(`${name.slice(0, 60)}... is too long for the name of a queue: at most ${MAX_NAME_BYTES} bytes`);
}
