import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Trx } from '../../src/db/database.ts';
import { enqueueNotification } from '../../src/plugin/events.ts';
import { EVENTS } from '../../src/rpc/events.ts';
import { createWorld, type World } from './world.ts';

let world: World;
beforeEach(async () => {
  world = await createWorld();
});
afterEach(() => world.close());

it('a notification is enqueued with its ordering key, and with a host if it is for one', async () => {
  const ids = await world.transaction(async (trx) => [
    await enqueueNotification(trx, EVENTS.port_delete, { port_id: 'p1' }, { network: 'n1' }),
    await enqueueNotification(trx, EVENTS.dhcp_agent_updated, { admin_state_up: true }, { agent: 'a1', host: 'h1' }),
  ]);
  const rows = await world.core.db.kysely.selectFrom('outbox').select('id').orderBy('id').execute();
  expect(ids).toEqual(rows.map((row) => Number(row.id)));
  expect(await world.outbox()).toEqual([
    { method: 'port_delete', ordering_key: 'n1', host: null, payload: { port_id: 'p1' } },
    { method: 'dhcp_agent_updated', ordering_key: 'a1', host: 'h1', payload: { admin_state_up: true } },
  ]);
});

it('a notification is discarded with a failed transaction', async () => {
  const failing = world.transaction(async (trx) => {
    await enqueueNotification(trx, EVENTS.network_delete, { network_id: 'n1' }, { network: 'n1' });
    throw new Error('on purpose');
  });
  await expect(failing).rejects.toThrow('on purpose');
  expect(await world.outbox()).toEqual([]);
});

it('an invalid payload of an event does not compile', () => {
  const wrong = [
    // @ts-expect-error the payload is another event's
    (trx: Trx) => enqueueNotification(trx, EVENTS.port_delete, { network_id: 'n1' }, { network: 'n1' }),
    // @ts-expect-error a port's document lacks attributes
    (trx: Trx) => enqueueNotification(trx, EVENTS.port_create_end, { port: { id: 'p1' } }, { network: 'n1' }),
    // @ts-expect-error it is ordered by the network
    (trx: Trx) => enqueueNotification(trx, EVENTS.port_delete, { port_id: 'p1' }, { port: 'p1' }),
    // @ts-expect-error it is for the agent of one host
    (trx: Trx) => enqueueNotification(trx, EVENTS.network_added_to_agent, { network: { id: 'n' } }, { network: 'n' }),
    // @ts-expect-error it is for all agents
    (trx: Trx) => enqueueNotification(trx, EVENTS.port_delete, { port_id: 'p1' }, { network: 'n1', host: 'h1' }),
  ];
  expect(wrong).toHaveLength(5);
});
