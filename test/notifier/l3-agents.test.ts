import { pino } from 'pino';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startRelay } from '../../src/notifier/relay.ts';
import type { RpcTransport } from '../../src/rpc/contract.ts';
import { createMemoryTransport } from '../../src/rpc/memory/transport.ts';
import { createRouterWorld, type RouterWorld } from '../plugin/routers/world.ts';
import { ADMIN } from '../support/core.ts';

let world: RouterWorld;
let transport: RpcTransport;
let closing: (() => Promise<void>)[];
beforeEach(async () => {
  world = await createRouterWorld();
  transport = createMemoryTransport({ log: pino({ level: 'silent' }) });
  closing = [];
});
afterEach(async () => {
  for (const close of closing.reverse()) await close();
  await transport.close();
  await world.close();
});

type Heard = readonly [host: string, method: string, args: unknown];

/** Serves as the L3 agent of a host; returns what resolves once a method has been heard, with everything until then. */
async function listen(host: string) {
  const heard: Heard[] = [];
  let waiting: { readonly method: string; readonly resolve: (heard: readonly Heard[]) => void } | undefined;
  const hear = (method: string) => (args: unknown) => {
    heard.push([host, method, args]);
    if (waiting?.method === method) waiting.resolve(heard.splice(0));
    return null;
  };
  const methods = Object.fromEntries(
    ['routers_updated', 'router_deleted', 'router_added_to_agent', 'router_removed_from_agent'].map((method) => [
      method,
      hear(method),
    ]),
  );
  const served = await transport.serve('l3_agent', host, { version: '1.1', methods });
  closing.push(() => served.close());
  return (method: string): Promise<readonly Heard[]> =>
    new Promise((resolve) => {
      waiting = { method, resolve };
    });
}

it('a router is scheduled when it gets its first port, and its agent hears of every change until it is gone', async () => {
  await world.l3Agent('h1');
  const until = await listen('h1');
  const running = startRelay({ core: world.core, transport });
  closing.push(() => running.close());
  const { id } = await world.router();
  const updated = ['h1', 'routers_updated', { routers: [id] }];
  let next = until('routers_updated');
  const { port } = await world.attached(id, '10.0.0.0/24');
  expect(await next).toEqual([['h1', 'router_added_to_agent', { payload: [id] }], updated]);
  next = until('routers_updated');
  await world.update(id, { name: 'n' });
  expect(await next).toEqual([updated]);
  next = until('routers_updated');
  await world.act('remove_router_interface', id, { port_id: port });
  expect(await next).toEqual([updated]);
  next = until('router_deleted');
  await world.routers.delete(ADMIN, id);
  expect(await next).toEqual([['h1', 'router_deleted', { router_id: id }]]);
});
