import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Caller } from '../../../src/auth/contract.ts';
import { addHaPort } from '../../../src/plugin/ha-routers/ports.ts';
import type { Document } from '../../../src/plugin/module.ts';
import { L3_AGENTS } from '../../../src/scheduler/agent-kinds.ts';
import { autoSchedulePage } from '../../../src/scheduler/auto-schedule.ts';
import { bind, hostingAgentIds } from '../../../src/scheduler/bindings.ts';
import { configuredScheduler } from '../../../src/scheduler/drivers.ts';
import { couldSchedule, scheduleResources } from '../../../src/scheduler/schedule.ts';
import { memberOf } from '../../support/core.ts';
import { createRouterWorld, type RouterWorld } from '../routers/world.ts';
import { ADMIN } from '../world.ts';

let world: RouterWorld;
beforeEach(async () => {
  world = await createRouterWorld();
});
afterEach(() => world.close());

const MISSING = '99999999-9999-4999-8999-999999999999';
const fails = (work: Promise<unknown>, type: string) => expect(work).rejects.toMatchObject({ type });
const act = (name: string, id: string, body?: unknown, router_id = '', caller: Caller = ADMIN) =>
  world.of('agent').act(caller, name, { id, parameters: { router_id }, body, revision: undefined });
const add = (agent: string, router: string) => act('add_l3_router', agent, { router_id: router });
const remove = (agent: string, router: string) => act('remove_l3_router', agent, undefined, router);
const routersOf = async (agent: string) =>
  ((await act('list_l3_routers', agent)) as { routers: readonly Document[] }).routers.map(({ id }) => id);
const events = async () => (await world.outbox()).map(({ method, host, payload }) => [method, host, payload]);

describe('the L3 agent scheduler', () => {
  test('adds routers to agents, lists and removes them, and notifies the agents', async () => {
    const agent = await world.l3Agent('h1');
    const { id } = await world.router();
    expect(await add(agent, id)).toBeNull();
    expect(await add(agent, id)).toBeNull();
    expect(await routersOf(agent)).toEqual([id]);
    expect(await world.show(id)).toMatchObject({ availability_zones: ['nova'] });
    expect(await world.act('list_l3_agents', id)).toMatchObject({ agents: [{ id: agent, ha_state: null }] });
    expect(await events()).toEqual([['router_added_to_agent', 'h1', { payload: [id] }]]);
    await remove(agent, id);
    await remove(agent, id);
    expect(await events()).toEqual([['router_removed_from_agent', 'h1', { payload: { router_id: id } }]]);
    expect(await routersOf(agent)).toEqual([]);
  });

  test('is for administrators', async () => {
    const agent = await world.l3Agent('h1');
    await fails(act('list_l3_routers', agent, undefined, '', memberOf('p1')), 'PolicyNotAuthorized');
  });

  test('adds a router to one agent, a highly available one to several', async () => {
    const [single, ha] = [await world.router(), await world.router({ ha: true })];
    const [one, two] = [await world.l3Agent('h1'), await world.l3Agent('h2')];
    for (const { id } of [single, ha]) await add(one, id);
    await fails(add(two, single.id), 'RouterHostedByL3Agent');
    await add(two, ha.id);
    expect(await hostingAgentIds(world.core.db.kysely, L3_AGENTS, ha.id)).toEqual([one, two]);
  });

  test('rejects unknown routers and unsuitable agents', async () => {
    const { id } = await world.router();
    const agent = await world.l3Agent('h1');
    await fails(add(agent, MISSING), 'RouterNotFound');
    await fails(remove(agent, MISSING), 'RouterNotFound');
    await fails(add(MISSING, id), 'AgentNotFound');
    await fails(act('list_l3_routers', MISSING), 'AgentNotFound');
    await fails(act('add_l3_router', agent, {}), 'HTTPBadRequest');
    await fails(add(await world.dhcpAgent('h1'), id), 'InvalidL3Agent');
    await world.of('agent').update(ADMIN, agent, { admin_state_up: false });
    await fails(add(agent, id), 'InvalidL3Agent');
    const mode = (agent_mode: string) => ({ configurations: { agent_mode } });
    const local = await world.l3Agent('h2', mode('dvr'));
    await fails(add(local, id), 'DVRL3CannotAssignToDvrAgent');
    await fails(remove(local, id), 'DVRL3CannotRemoveFromDvrAgent');
    const { id: distributed } = await world.router({ distributed: true });
    await fails(add(await world.l3Agent('h3'), distributed), 'RouterL3AgentMismatch');
    await add(await world.l3Agent('h4', mode('dvr_snat')), distributed);
    await world.l3Agent('h5', { availability_zone: 'z' });
    const { id: zoned } = await world.router({ availability_zone_hints: ['z'] });
    await fails(add(await world.l3Agent('h6'), zoned), 'InvalidL3Agent');
  });

  test('notifies an agent that is disabled', async () => {
    const agent = await world.l3Agent('h1');
    await world.of('agent').update(ADMIN, agent, { admin_state_up: false });
    expect(await events()).toEqual([['l3_agent_updated', 'h1', { payload: { admin_state_up: false } }]]);
  });

  test('gives routers with ports as many agents as their kind has', async () => {
    for (const host of ['h1', 'h2', 'h3', 'h4']) await world.l3Agent(host);
    const { config, db } = world.core;
    const [bare, single, ha] = [await world.router(), await world.router(), await world.router({ ha: true })];
    await world.attached(single.id, '10.0.0.0/24');
    await world.attached(ha.id, '10.1.0.0/24');
    const ids = [bare.id, single.id, ha.id];
    const scheduler = configuredScheduler(config, L3_AGENTS);
    await world.transaction((trx) => scheduleResources(trx, config, L3_AGENTS, scheduler, ids));
    const agentsOf = (id: string) => hostingAgentIds(db.kysely, L3_AGENTS, id);
    expect(await Promise.all(ids.map(async (id) => (await agentsOf(id)).length))).toEqual([0, 1, 3]);
    const lacking = new Map(
      await Promise.all(ids.map(async (id) => [id, (await agentsOf(id)).map((a) => ({ id: a, host: a }))] as const)),
    );
    expect(await couldSchedule(db.kysely, config, L3_AGENTS, lacking)).toEqual([]);
  });

  test('gives an agent that asks the routers that lack one', async () => {
    const [one, two] = [await world.l3Agent('h1'), await world.l3Agent('h2')];
    const { id } = await world.router();
    await world.attached(id, '10.0.0.0/24');
    const page = (agent: string) =>
      world.transaction((trx) =>
        autoSchedulePage(
          trx,
          world.core.config,
          L3_AGENTS,
          { id: agent, host: agent, availabilityZone: 'nova' },
          '',
          10,
          (trx, router) => addHaPort(trx, world.core, world.allocator, { id: agent }, router),
        ),
      );
    const { id: ha } = await world.router({ ha: true });
    const three = await world.l3Agent('h3');
    for (const agent of [one, two, three]) await page(agent);
    expect(await hostingAgentIds(world.core.db.kysely, L3_AGENTS, id)).toEqual([one]);
    expect(await hostingAgentIds(world.core.db.kysely, L3_AGENTS, ha)).toHaveLength(3);
    expect(await world.portsOf(ha, 'network:router_ha_interface')).toHaveLength(3);
    await world.routers.act(ADMIN, 'remove_router_interface', {
      id,
      parameters: {},
      body: {
        subnet_id: (await world.portsOf(id, 'network:router_interface')).map(
          (p) => (p.fixed_ips as Document[])[0]?.subnet_id,
        )[0],
      },
      revision: undefined,
    });
    await world.routers.delete(ADMIN, id);
    expect(await routersOf(one)).toEqual([ha]);
    await world.routers.delete(ADMIN, ha);
    expect(await routersOf(one)).toEqual([]);
  });

  test('takes a router off its agents when its kind changes', async () => {
    const agent = await world.l3Agent('h1');
    const { id } = await world.router({ admin_state_up: false });
    await world.transaction((trx) => bind(trx, L3_AGENTS, id, agent));
    await world.update(id, { ha: true });
    // A highly available one is scheduled again at once.
    expect((await events()).filter(([method]) => String(method).startsWith('router'))).toEqual([
      ['router_removed_from_agent', 'h1', { payload: { router_id: id } }],
      ['router_added_to_agent', 'h1', { payload: [id] }],
      ['routers_updated', null, { router_id: id, has_ports: true, ha: true }],
    ]);
    expect(await routersOf(agent)).toEqual([id]);
    await world.update(id, { ha: false });
    expect((await events()).filter(([method]) => String(method).startsWith('router'))).toEqual([
      ['router_removed_from_agent', 'h1', { payload: { router_id: id } }],
      ['routers_updated', null, { router_id: id, has_ports: false }],
    ]);
    expect(await routersOf(agent)).toEqual([]);
  });
});
