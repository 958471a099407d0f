import { type BareClient, bareClient } from '../../rpc/rabbit/bare-client.ts';
import type { RabbitMq } from '../../support/rabbitmq.ts';
import type { Chance } from '../chance.ts';

/** A published message to agents. */
interface Captured {
  readonly exchange: string;
  readonly routingKey: string;
  readonly body: Buffer;
  /** Time of performance.now(). */
  readonly at: number;
}

const MOST = 5_000;
/** Maximum age of repeated messages: longer than any sender retries. */
const LATE_MS = 30_000;
/** Properties set by stock senders and Neutrino. */
const PROPERTIES = { contentType: 'application/json', contentEncoding: 'utf-8', deliveryMode: 2, priority: 0 };

/**
 * Records the messages of servers to agents, and repeats them: twice, late, in another order. It uses RabbitMQ's tracing, because
 * an additional queue would change what happens to messages if the agents' queue is missing.
 */
export class CastTap {
  readonly #broker: RabbitMq;
  readonly #captured: Captured[] = [];
  #client: BareClient | undefined;

  constructor(broker: RabbitMq) {
    this.#broker = broker;
  }

  /** Starts to record, also again after a restart of the broker. */
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

  /** Repeats this many random recent messages: half of them as new messages, half with their old ids. */
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
        // A fanout exchange is deleted with its last agent; the broker then closes the channel of the sender.
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

/** Returns the same message with a new `_unique_id`, by which no receiver can recognize it. */
function withOtherId(body: Buffer, chance: Chance): Buffer {
  const outer = JSON.parse(body.toString('utf8')) as Record<string, string>;
  const inner = JSON.parse(outer['oslo.message'] ?? '{}') as Record<string, unknown>;
  const id = Array.from({ length: 32 }, () => chance.whole(0, 15).toString(16)).join('');
  return Buffer.from(JSON.stringify({ ...outer, 'oslo.message': JSON.stringify({ ...inner, _unique_id: id }) }));
}
