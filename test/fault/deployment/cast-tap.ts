import { type BareClient, bareClient } from '../../rpc/rabbit/bare-client.ts';
import type { RabbitMq } from '../../support/rabbitmq.ts';
import type { Chance } from '../chance.ts';

/** A message to agents, as it was published. */
interface Captured {
  readonly exchange: string;
  readonly routingKey: string;
  readonly body: Buffer;
  /** Moment of performance.now(). */
  readonly at: number;
}

const MOST = 5_000;
/** A message that is told again is at most so old: longer than any sender tries to get rid of one. */
const LATE_MS = 30_000;
/** What stock senders and Neutrino set. */
const PROPERTIES = { contentType: 'application/json', contentEncoding: 'utf-8', deliveryMode: 2, priority: 0 };

/**
 * Listens to what servers tell agents, and tells it again: twice, late, in another order. It listens by RabbitMQ's own tracing:
 * a queue beside the agents' would change what becomes of a message when theirs is not there.
 */
export class CastTap {
  readonly #broker: RabbitMq;
  readonly #captured: Captured[] = [];
  #client: BareClient | undefined;

  constructor(broker: RabbitMq) {
    this.#broker = broker;
  }

  /** Begins to listen, anew when the broker was started again. */
  async listen(): Promise<void> {
    await this.close();
    const client = await bareClient(this.#broker);
    this.#client = client;
    const { queue } = await client.channel.assertQueue('', { exclusive: true });
    // https://www.rabbitmq.com/docs/firehose
    await client.channel.bindQueue(queue, 'amq.rabbitmq.trace', 'publish.#');
    await client.channel.consume(
      queue,
      (message) => {
        if (!message) return;
        const { exchange_name: exchange = '', routing_keys: keys = [] } = message.properties.headers ?? {};
        const routingKey = String(keys[0] ?? '');
        if (!routingKey.startsWith('dhcp_agent.') && !String(exchange).endsWith('_fanout')) return;
        this.#captured.push({ exchange: String(exchange), routingKey, body: message.content, at: performance.now() });
        if (this.#captured.length > MOST) this.#captured.shift();
      },
      { noAck: true },
    );
    await this.#broker.ctl('trace_on');
  }

  /** Tells agents so many of the latest messages again, drawn at random: half of them as new messages, half as the very same. */
  async resend(count: number, chance: Chance): Promise<number> {
    const since = performance.now() - LATE_MS;
    let heard = this.#captured.filter(({ at }) => at >= since);
    let told = 0;
    while (told < count && heard.length > 0 && this.#client) {
      const { exchange, routingKey, body } = chance.of(heard);
      try {
        const message = chance.real() < 0.5 ? body : withOtherId(body, chance);
        await this.#client.send(exchange, routingKey, message, PROPERTIES);
        told += 1;
      } catch {
        // A fanout exchange goes with the last of its agents: the broker closes the channel of who sends there.
        heard = heard.filter((one) => one.exchange !== exchange);
        await this.listen();
      }
    }
    return told;
  }

  async close(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    await client?.close();
  }
}

/** The same message with another `_unique_id`: no receiver can know by that that it has had it. */
function withOtherId(body: Buffer, chance: Chance): Buffer {
  const outer = JSON.parse(body.toString('utf8')) as Record<string, string>;
  const inner = JSON.parse(outer['oslo.message'] ?? '{}') as Record<string, unknown>;
  const id = Array.from({ length: 32 }, () => chance.whole(0, 15).toString(16)).join('');
  return Buffer.from(JSON.stringify({ ...outer, 'oslo.message': JSON.stringify({ ...inner, _unique_id: id }) }));
}
