import { type BareClient, bareClient } from '../../rpc/rabbit/bare-client.ts';
import type { RabbitMq } from '../../support/rabbitmq.ts';
import type { Chance } from '../chance.ts';

/** A message to agents, as it went over the wire. */
interface Captured {
  readonly exchange: string;
  readonly routingKey: string;
  readonly properties: Readonly<Record<string, unknown>>;
  readonly body: Buffer;
}

const MOST = 2_000;
const FANOUTS = [
  'dhcp_agent',
  'q-agent-notifier-port-update',
  'q-agent-notifier-port-delete',
  'q-agent-notifier-network-update',
  'q-agent-notifier-network-delete',
];

/** Listens to what servers tell agents, and tells it again: twice, late, in another order. */
export class CastTap {
  readonly #broker: RabbitMq;
  readonly #hosts: readonly string[];
  readonly #captured: Captured[] = [];
  #client: BareClient | undefined;

  constructor(broker: RabbitMq, hosts: readonly string[]) {
    this.#broker = broker;
    this.#hosts = hosts;
  }

  get size(): number {
    return this.#captured.length;
  }

  /** Begins to listen, anew when the broker has forgotten everything. What was heard before is told no more. */
  async listen(): Promise<void> {
    await this.close();
    this.#captured.length = 0;
    const client = await bareClient(this.#broker);
    this.#client = client;
    const { queue } = await client.channel.assertQueue('', { exclusive: true });
    await client.channel.assertExchange('neutron', 'topic', { durable: false, autoDelete: false });
    for (const host of this.#hosts) await client.channel.bindQueue(queue, 'neutron', `dhcp_agent.${host}`);
    for (const topic of FANOUTS) {
      await client.channel.assertExchange(`${topic}_fanout`, 'fanout', { durable: false, autoDelete: true });
      await client.channel.bindQueue(queue, `${topic}_fanout`, '');
    }
    await client.channel.consume(
      queue,
      (message) => {
        if (!message) return;
        const { fields, properties, content } = message;
        const given = Object.entries(properties).filter(([, value]) => value !== undefined);
        this.#captured.push({
          exchange: fields.exchange,
          routingKey: fields.routingKey,
          properties: Object.fromEntries(given),
          body: content,
        });
        if (this.#captured.length > MOST) this.#captured.shift();
      },
      { noAck: true },
    );
  }

  /** Tells agents so many of the messages again, drawn at random: half of them as new messages, half as the very same ones. */
  async tellAgain(count: number, chance: Chance): Promise<number> {
    const heard = [...this.#captured];
    const client = this.#client;
    if (!client || heard.length === 0) return 0;
    for (let i = 0; i < count; i++) {
      const { exchange, routingKey, properties, body } = chance.of(heard);
      const told = chance.real() < 0.5 ? body : withOtherId(body, chance);
      await client.send(exchange, routingKey, told, properties);
    }
    return count;
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
