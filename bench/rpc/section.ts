import { rabbitMqObstacle, startRabbitMq } from '../../test/support/rabbitmq.ts';
import { type Child, startChild } from '../child.ts';
import type { Section, World } from '../contract.ts';
import { ratios } from '../spread.ts';
import type { RpcJob, RpcLoad, RpcResult } from './contract.ts';

const BYTES = 3_500;
const AT_ONCE = 16;

/** Measures calls and casts per second over RabbitMQ, compared with the bare AMQP client and the same messages. */
export const rpcSection: Section = {
  name: 'rpc',
  title: `RPC over RabbitMQ, messages of ${BYTES} bytes, ${AT_ONCE} at once, publisher confirms`,
  obstacle: rabbitMqObstacle,
  async run(world) {
    const ends: (() => Promise<void>)[] = [];
    try {
      world.progress('starting RabbitMQ');
      const rabbit = await startRabbitMq();
      ends.push(rabbit.dispose);
      const pair = async (module: string): Promise<Child> => {
        // Each pair has its own queues.
        const topic = module.replaceAll(/[^a-z-]/g, '');
        const url = rabbit.transportUrl();
        const server = startChild(new URL(module, import.meta.url));
        ends.push(server.stop);
        await server.ask<true>({ kind: 'serve', url, topic } satisfies RpcJob);
        const client = startChild(new URL(module, import.meta.url));
        ends.push(client.stop);
        await client.ask<true>({ kind: 'connect', url, topic } satisfies RpcJob);
        return client;
      };
      const ours = await pair('./product-client.ts');
      const bare = await pair('./bare-client.ts');
      return await measure(world, ours, bare);
    } finally {
      for (const end of ends.reverse()) await end();
    }
  },
};

const KINDS = ['call', 'cast'] as const;

async function measure(world: World, ours: Child, bare: Child) {
  const rounds = world.quick ? 3 : 7;
  const count = world.quick ? 2_000 : 5_000;
  const ask = (client: Child, kind: RpcLoad['kind'], messages: number, atOnce: number) =>
    client.ask<RpcResult>({ kind, count: messages, atOnce, bytes: BYTES } satisfies RpcLoad);
  const none = () => ({ ours: [] as number[], bare: [] as number[] });
  const perSecond = { call: none(), cast: none() };
  const alone = none();
  world.progress('warming up');
  for (const kind of KINDS) for (const client of [ours, bare]) await ask(client, kind, count, AT_ONCE);
  for (let round = 1; round <= rounds; round++) {
    world.progress(`round ${round} of ${rounds}`);
    for (const kind of KINDS) {
      perSecond[kind].bare.push((await ask(bare, kind, count, AT_ONCE)).perSecond);
      perSecond[kind].ours.push((await ask(ours, kind, count, AT_ONCE)).perSecond);
    }
    alone.bare.push((await ask(bare, 'call', count / 10, 1)).p50Ms);
    alone.ours.push((await ask(ours, 'call', count / 10, 1)).p50Ms);
  }
  const { call, cast } = perSecond;
  return {
    figures: [
      { what: 'Neutrino, calls', unit: '/s', rounds: call.ours },
      { what: 'amqplib, calls', unit: '/s', rounds: call.bare, note: 'request and reply confirmed and acknowledged' },
      { what: 'Neutrino, casts', unit: '/s', rounds: cast.ours },
      { what: 'amqplib, casts', unit: '/s', rounds: cast.bare, note: 'confirmed, and received by the server' },
      { what: 'Neutrino, sequential calls, p50', unit: 'ms', rounds: alone.ours },
      { what: 'amqplib, sequential calls, p50', unit: 'ms', rounds: alone.bare },
    ],
    ratios: [
      { what: 'calls: Neutrino / amqplib', rounds: ratios(call.ours, call.bare) },
      { what: 'casts: Neutrino / amqplib', rounds: ratios(cast.ours, cast.bare) },
      { what: 'sequential calls: Neutrino / amqplib', rounds: ratios(alone.ours, alone.bare) },
    ],
  };
}
