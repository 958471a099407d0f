import { sql } from 'kysely';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { migrate } from '../../src/db/migrate.ts';
import { outboxByNetwork } from '../../src/db/migrations/0003-outbox-by-network.ts';
import { createWorld, type World } from '../plugin/world.ts';

const STEP = '0004-outbox-ordering-key';

let world: World;
beforeEach(async () => {
  world = await createWorld();
});
afterEach(() => world.close());

const forget = () => sql`delete from neutrino_migrations where name >= ${STEP}`.execute(world.core.db.kysely);

/** Puts the outbox back to how versions before the step had it, with these events in it. */
async function downgrade(events: readonly (readonly [key: string, method: string, payload: string])[]): Promise<void> {
  const { kysely, dialect } = world.core.db;
  await kysely.schema.dropTable('outbox').execute();
  const id = dialect === 'mysql' ? sql`bigint primary key auto_increment` : sql`integer primary key autoincrement`;
  await sql`create table outbox (id ${id}, network_id varchar(36) not null, method varchar(64) not null,
    payload text not null, created_at varchar(19) not null)`.execute(kysely);
  await outboxByNetwork.up(kysely as never, dialect);
  for (const [key, method, payload] of events)
    await sql`insert into outbox (network_id, method, payload, created_at)
      values (${key}, ${method}, ${payload}, '2026-01-01 00:00:00')`.execute(kysely);
  await forget();
}

it('an upgrade keeps the events that wait, in their order', async () => {
  await downgrade([
    ['n1', 'agent.network_create_end', '{"host":"h1","payload":{"network":{"id":"n1"}}}'],
    ['n1', 'port_create_end', '{"port":{"id":"p1"}}'],
    ['n1', 'l2.port_update', '{"port":{"id":"p1"},"network_type":"vxlan"}'],
    ['n1', 'agent.network_delete_end', '{"host":"h2","payload":{"network_id":"n1"}}'],
    ['n2', 'network_delete_end', '{"network_id":"n2"}'],
    ['n2', 'l2.network_delete', '{"network_id":"n2"}'],
    ['a1', 'agent.agent_updated', '{"host":"h1","payload":{"admin_state_up":false}}'],
  ]);
  expect(await migrate(world.core.db)).toContain(STEP);
  expect(await world.outbox()).toEqual([
    { ordering_key: 'n1', method: 'network_added_to_agent', host: 'h1', payload: { network: { id: 'n1' } } },
    { ordering_key: 'n1', method: 'port_create_end', host: null, payload: { port: { id: 'p1' } } },
    {
      ordering_key: 'n1',
      method: 'port_update',
      host: null,
      payload: { port: { id: 'p1' }, network_type: 'vxlan' },
    },
    { ordering_key: 'n1', method: 'network_removed_from_agent', host: 'h2', payload: { network_id: 'n1' } },
    { ordering_key: 'n2', method: 'network_delete_end', host: null, payload: { network_id: 'n2' } },
    { ordering_key: 'n2', method: 'network_delete', host: null, payload: { network_id: 'n2' } },
    { ordering_key: 'a1', method: 'dhcp_agent_updated', host: 'h1', payload: { admin_state_up: false } },
  ]);
});

it('on MySQL an upgrade that was killed before it was recorded is repeated without harm', async ({ skip }) => {
  skip(world.core.db.dialect !== 'mysql', 'SQLite undoes an unfinished upgrade');
  await downgrade([['n1', 'l2.port_delete', '{"port_id":"p1"}']]);
  await migrate(world.core.db);
  await forget();
  await migrate(world.core.db);
  expect(await world.outbox()).toEqual([
    { ordering_key: 'n1', method: 'port_delete', host: null, payload: { port_id: 'p1' } },
  ]);
});
