import { describe, expect, test } from 'vitest';
import { rabbitSettings } from '../../../src/rpc/rabbit/settings.ts';
import { controlExchange, type QueuePlan, replyQueue, serverQueues } from '../../../src/rpc/rabbit/topology.ts';
import { fixture } from './captured.ts';
import { rabbitConfig } from './world.ts';

interface Listed {
  readonly name: string;
  readonly type?: string;
  readonly durable: boolean;
  readonly auto_delete: boolean;
  readonly arguments: readonly (readonly [string, string, unknown])[];
}

interface Bound {
  readonly source_name: string;
  readonly destination_name: string;
  readonly routing_key: string;
}

const queues = fixture<readonly Listed[]>('broker-queues.json');
const exchanges = fixture<readonly Listed[]>('broker-exchanges.json');
const bindings = fixture<readonly Bound[]>('broker-bindings.json');
const settings = rabbitSettings(rabbitConfig('rabbit://h/'));

const listed = (name: string) => {
  const found = queues.find((queue) => queue.name === name);
  if (!found) throw new Error(`no queue ${name} was captured`);
  return {
    durable: found.durable,
    autoDelete: found.auto_delete,
    arguments: Object.fromEntries(found.arguments.map(([key, , value]) => [key, value])),
  };
};
const shape = ({ durable, autoDelete, arguments: args }: QueuePlan) => ({ durable, autoDelete, arguments: args });

describe('queues and exchanges', () => {
  const fanout = queues.find(({ name }) => /^q-plugin_fanout_/.test(name))?.name ?? '';
  const plans = serverQueues(settings, 'q-plugin', 'vm', fanout.slice('q-plugin_fanout_'.length));

  test('of a server are those that the stock server of its topic has', () => {
    expect(plans.map(({ name }) => name)).toEqual(['q-plugin', 'q-plugin.vm', fanout]);
    for (const plan of plans) expect(shape(plan)).toEqual(listed(plan.name));
  });

  test('are bound as there', () => {
    for (const { name, binding } of plans) {
      const stock = bindings.filter((one) => one.destination_name === name && one.source_name !== '');
      expect(stock).toMatchObject([{ source_name: binding?.exchange.name, routing_key: binding?.key }]);
    }
  });

  test('use exchanges declared as there', () => {
    for (const { binding } of plans) {
      const { name = '', type, durable, autoDelete } = binding?.exchange ?? {};
      expect(exchanges.find((one) => one.name === name)).toMatchObject({ type, durable, auto_delete: autoDelete });
    }
    expect(plans[0]?.binding?.exchange).toEqual(controlExchange(settings));
  });

  test('of answers are as there', () => {
    const stock = queues.find(({ name }) => name.startsWith('reply_'))?.name ?? '';
    const plan = replyQueue(settings, stock.slice('reply_'.length));
    expect(plan.name).toBe(stock);
    expect(plan.binding).toBeUndefined();
    expect(shape(plan)).toEqual(listed(stock));
  });

  test('of topics are durable, quorum or auto-deleted when the options say so; those of one process never', () => {
    const plan = (options: Parameters<typeof rabbitConfig>[1]) =>
      serverQueues(rabbitSettings(rabbitConfig('rabbit://h/', options)), 't', 's', 'id').map(shape);
    const transient = { durable: false, autoDelete: false, arguments: { 'x-expires': 1_800_000 } };
    const durable = { durable: true, autoDelete: false, arguments: {} };
    expect(plan({ amqp_durable_queues: true })).toEqual([durable, durable, transient]);
    const quorum = { durable: true, autoDelete: false, arguments: { 'x-queue-type': 'quorum' } };
    expect(plan({ rabbit_quorum_queue: true })).toEqual([quorum, quorum, transient]);
    const passing = { durable: false, autoDelete: true, arguments: {} };
    expect(plan({ amqp_auto_delete: true })).toEqual([passing, passing, transient]);
    expect(plan({ rabbit_transient_queues_ttl: 5 })[2]).toMatchObject({ arguments: { 'x-expires': 5_000 } });
  });

  test('have names that fit', () => {
    expect(() => serverQueues(settings, 't', 's'.repeat(254), 'id')).toThrow(/at most 255 bytes/);
    expect(() => serverQueues(settings, 't', 's'.repeat(253), 'id')).not.toThrow();
  });
});
