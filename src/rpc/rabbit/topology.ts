import type { RabbitSettings } from './settings.ts';

/** An exchange as it must be declared: RabbitMQ refuses a second declaration that differs. */
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
  /** Absent: reached by its name through the default exchange alone. */
  readonly binding?: { readonly exchange: ExchangePlan; readonly key: string };
}

type Shape = Pick<RabbitSettings, 'controlExchange' | 'queues' | 'transientQueueTtlMs'>;

/** AMQP names are short strings: one octet holds their length. */
const MAX_NAME_BYTES = 255;

/** The exchange of all topics. */
export function controlExchange({ controlExchange: name, queues }: Shape): ExchangePlan {
  return { name, type: 'topic', durable: queues.durable, autoDelete: queues.autoDelete };
}

/** The exchange that copies a message to all servers of a topic; it goes when the last of their queues is gone. */
export function fanoutExchange(topic: string): ExchangePlan {
  return { name: checkedName(`${topic}_fanout`), type: 'fanout', durable: false, autoDelete: true };
}

/** The routing key on the control exchange, and the name, of the queue of a topic or of one server of it. */
export function topicQueueName(topic: string, server?: string): string {
  return checkedName(server === undefined ? topic : `${topic}.${server}`);
}

/**
 * The three queues of a server of a topic, as oslo.messaging declares them: `T` shared by all servers, `T.server`, and
 * `T_fanout_<id>` of this server alone. `id` is 32 hexadecimal digits.
 */
export function serverQueues(shape: Shape, topic: string, server: string, id: string): readonly QueuePlan[] {
  const exchange = controlExchange(shape);
  const { quorum, durable, autoDelete } = shape.queues;
  const onTopic = (name: string): QueuePlan => ({
    name,
    durable,
    autoDelete,
    arguments: quorum ? { 'x-queue-type': 'quorum' } : {},
    binding: { exchange, key: name },
  });
  return [
    onTopic(topicQueueName(topic)),
    onTopic(topicQueueName(topic, server)),
    {
      ...transientQueue(shape, checkedName(`${topic}_fanout_${id}`)),
      binding: { exchange: fanoutExchange(topic), key: topic },
    },
  ];
}

/** The queue that answers to one process's calls come to. */
export function replyQueue(shape: Shape, id: string): QueuePlan {
  return transientQueue(shape, `reply_${id}`);
}

/** Not durable and not exclusive, so that it outlives a lost connection; without a reader it expires. */
function transientQueue({ transientQueueTtlMs }: Shape, name: string): QueuePlan {
  return { name, durable: false, autoDelete: false, arguments: { 'x-expires': transientQueueTtlMs } };
}

function checkedName(name: string): string {
  if (Buffer.byteLength(name) <= MAX_NAME_BYTES) return name;
  throw new TypeError(`${name.slice(0, 60)}... is too long for a queue's name: ${MAX_NAME_BYTES} bytes at most`);
}
