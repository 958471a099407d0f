import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startRelay } from '../../src/notifier/relay.ts';
import type { Hosting } from '../../src/plugin/agents/hosting.ts';
import { agentModule } from '../../src/plugin/agents/module.ts';
import { resourceMover } from '../../src/plugin/agents/move.ts';
import { reportState } from '../../src/plugin/agents/report.ts';
import { enqueueNotification } from '../../src/plugin/events.ts';
import type { RpcTransport } from '../../src/rpc/contract.ts';
import { agentOfHost, autoSchedule } from '../../src/scheduler/auto-schedule.ts';
import { bind, hostedBy, hostingAgentIds } from '../../src/scheduler/bindings.ts';
import { startFailover } from '../../src/scheduler/failover.ts';
import { isServed, willBeServed } from '../../src/scheduler/serving.ts';
import { ADMIN, createWorld, reportTime, type World } from '../plugin/world.ts';
import { servicesOf } from '../support/services.ts';
import { METER_EVENTS, METERING_AGENTS } from './hosting-kind.ts';

const HOSTINGS: readonly Hosting[] = [{ kind: METERING_AGENTS }];
const FAR_FUTURE = '2999-01-01 00:00:00';

let world: World;
beforeEach(async () => {
  // A short agent_down_time, so that failover does not wait for minutes.
  world = await createWorld({ DEFAULT: { agent_down_time: 0.05, network_scheduler_driver: 'weight' } });
  const { kysely, dialect } = world.core.db;
  // As in migrations on MySQL: a foreign key needs the collation of its target.
  const end = dialect === 'mysql' ? sql`engine=InnoDB default charset=utf8mb4 collate=utf8mb4_bin` : sql``;
  await kysely.schema
    .createTable('meters')
    .addColumn('id', 'varchar(36)', (column) => column.primaryKey())
    .addColumn('name', 'varchar(255)', (column) => column.notNull())
    .addColumn('availability_zone_hints', 'varchar(255)', (column) => column.notNull())
    .addColumn('running', 'integer', (column) => column.notNull())
    .modifyEnd(end)
    .execute();
  await kysely.schema
    .createTable('meteragentbindings')
    .addColumn('meter_id', 'varchar(36)', (column) => column.notNull())
    .addColumn('metering_agent_id', 'varchar(36)', (column) => column.notNull())
    .addColumn('binding_index', 'integer', (column) => column.notNull())
    .addPrimaryKeyConstraint('pk_meteragentbindings', ['meter_id', 'metering_agent_id'])
    .addUniqueConstraint('uniq_meteragentbindings', ['meter_id', 'binding_index'])
    .addForeignKeyConstraint('fk_meteragentbindings', ['metering_agent_id'], 'agents', ['id'], (constraint) =>
      constraint.onDelete('cascade'),
    )
    .modifyEnd(end)
    .execute();
});
afterEach(() => world.close());

/** Creates a meter. */
async function meter(running = true, zones: readonly string[] = []): Promise<string> {
  const id = randomUUID();
  await sql`insert into meters values (${id}, '', ${JSON.stringify(zones)}, ${Number(running)})`.execute(
    world.core.db.kysely,
  );
  return id;
}

/** Sends a report of a metering agent, which remains alive unless `dead`. Returns its id. */
async function agent(host: string, { dead = false, meters = 0, zone = 'nova' } = {}): Promise<string> {
  const { type: agent_type, topic } = METERING_AGENTS;
  const state = { agent_type, topic, host, binary: 'neutron-metering-agent', availability_zone: zone };
  await reportState(world.core, { ...state, configurations: { meters } }, reportTime(), [METERING_AGENTS]);
  const { kysely } = world.core.db;
  const { id } = await kysely.selectFrom('agents').select('id').where('host', '=', host).executeTakeFirstOrThrow();
  const heartbeat_timestamp = dead ? '2020-01-01 00:00:00' : FAR_FUTURE;
  await kysely.updateTable('agents').set({ heartbeat_timestamp }).where('id', '=', id).execute();
  return id;
}
const host = (meterId: string, agentId: string) =>
  world.transaction((trx) => bind(trx, METERING_AGENTS, meterId, agentId));
const agentsOf = (meterId: string) => hostingAgentIds(world.core.db.kysely, METERING_AGENTS, meterId);
const agents = () =>
  servicesOf(world.core, world.allocator, [agentModule(world.core, world.allocator, HOSTINGS)]).of('agent');

describe('a kind of agent that is one row', () => {
  it('has its resources scheduled when an event shows that they need an agent, before the event is published', async () => {
    await agent('busy', { meters: 1 });
    await host(await meter(), await agent('busy'));
    const idle = await agent('idle');
    await world.dhcpAgent('other-kind');
    const [running, stopped] = [await meter(), await meter(false)];
    const casts: unknown[] = [];
    const { promise: published, resolve } = Promise.withResolvers<void>();
    const transport: Pick<RpcTransport, 'cast'> = {
      async cast({ topic, server }, method, args) {
        casts.push([topic, server, method, args]);
        if (casts.length === 2) resolve();
      },
    };
    for (const [meter_id, on] of [
      [stopped, false],
      [running, true],
    ] as const)
      await world.transaction((trx) =>
        enqueueNotification(trx, METER_EVENTS.meter_changed, { meter_id, running: on }, { meter: meter_id }),
      );
    const relay = startRelay({
      core: world.core,
      transport,
      events: METER_EVENTS,
      hostings: [{ kind: METERING_AGENTS }],
    });
    await published;
    await relay.close();
    expect(casts).toEqual([
      ['metering_agent', 'idle', 'meter_added', { meter_id: running }],
      ['metering_agent', 'idle', 'meter_changed', { meter_id: running, running: true }],
    ]);
    expect([await agentsOf(running), await agentsOf(stopped)]).toEqual([[idle], []]);
    expect(await world.outbox()).toEqual([]);
  });

  it('has them moved off a dead agent to a live one, which is notified', async () => {
    const [dead, living] = [await agent('dead', { dead: true }), await agent('living')];
    const [one, two, elsewhere] = [await meter(), await meter(), await meter(true, ['z9'])];
    for (const id of [one, two, elsewhere]) await host(id, dead);
    const move = resourceMover(world.core, world.allocator, 'dead', HOSTINGS);
    const failover = startFailover({ ...world.core, move, kinds: [METERING_AGENTS] });
    await expect.poll(() => hostedBy(world.core.db.kysely, METERING_AGENTS, living)).toEqual([one, two].sort());
    await failover.close();
    expect(await agentsOf(elsewhere)).toEqual([dead]);
    expect(await world.outbox()).toEqual(
      [one, two]
        .sort()
        .map((id) => ({ method: 'meter_added', ordering_key: id, host: 'living', payload: { meter_id: id } })),
    );
  });

  it('assigns resources without an agent to a requesting agent, page by page', async () => {
    const own = await agent('h1');
    const meters = [await meter(), await meter(), await meter()];
    const others = [await meter(false), await meter(true, ['z9'])];
    const { db, config } = world.core;
    const asking = await agentOfHost(db.kysely, config, METERING_AGENTS, 'h1');
    expect(asking).toEqual({ id: own, host: 'h1', availabilityZone: 'nova', available: true });
    if (asking) await autoSchedule(db, config, METERING_AGENTS, asking, 1);
    expect(await hostedBy(world.core.db.kysely, METERING_AGENTS, own)).toEqual(meters.sort());
    for (const id of others) expect(await agentsOf(id)).toEqual([]);
  });

  it('has its agents notified when they are disabled, and their resources count as unserved', async () => {
    const own = await agent('h1');
    const id = await meter();
    const { db, config } = world.core;
    expect(await willBeServed(db.kysely, config, METERING_AGENTS, id)).toBe(true);
    await host(id, own);
    await agents().update(ADMIN, own, { admin_state_up: false });
    expect(await world.outbox()).toEqual([
      { method: 'metering_agent_updated', ordering_key: own, host: 'h1', payload: { admin_state_up: false } },
    ]);
    expect(await isServed(db.kysely, config, METERING_AGENTS, id)).toBe(false);
  });

  it('hands over the resources of a deleted agent', async () => {
    const [gone, next] = [await agent('gone'), await agent('next')];
    const id = await meter();
    await host(id, gone);
    await agents().delete(ADMIN, gone);
    expect(await agentsOf(id)).toEqual([next]);
    expect(await world.outbox()).toMatchObject([{ method: 'meter_added', host: 'next' }]);
  });

  it('has the number of resources in a report stored as the load of the agent', async () => {
    const id = await agent('h1', { meters: 7 });
    const row = await world.core.db.kysely.selectFrom('agents').select('load').where('id', '=', id).executeTakeFirst();
    expect(row).toEqual({ load: 7 });
  });
});

it('a relay does not start with events for the hosts of a resource whose topic belongs to no kind', () => {
  const transport: Pick<RpcTransport, 'cast'> = { cast: async () => {} };
  expect(() => startRelay({ core: world.core, transport, events: METER_EVENTS })).toThrow(
    /meter_changed.*no kind of agent has topic metering_agent/,
  );
});
