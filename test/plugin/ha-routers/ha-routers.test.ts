import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { HostingAgents } from '../../../src/notifier/hosting-agents.ts';
import { HOSTINGS } from '../../../src/plugin/agents/hosting.ts';
import { resourceMover } from '../../../src/plugin/agents/move.ts';
import { renameHost } from '../../../src/plugin/agents/rename-host.ts';
import type { Document } from '../../../src/plugin/module.ts';
import { EVENTS } from '../../../src/rpc/events.ts';
import { L3_AGENTS } from '../../../src/scheduler/agent-kinds.ts';
import { aliveAgents } from '../../../src/scheduler/candidates.ts';
import { resourcesWithSuccessor } from '../../../src/scheduler/successors.ts';
import { memberOf } from '../../support/core.ts';
import { createRouterWorld, type RouterWorld } from '../routers/world.ts';
import { ADMIN } from '../world.ts';

let world: RouterWorld;
beforeEach(async () => {
  world = await createRouterWorld();
});
afterEach(() => world.close());

const HA_PORT = 'network:router_ha_interface';
const list = (resource: string, filters: Readonly<Record<string, string[]>> = {}, caller = ADMIN) =>
  world.of(resource).list(caller, { filters, sorts: [], pageReverse: false });
const haNetworks = (project = 'p1') => list('network', { name: [`HA network tenant ${project}`] });
const haPorts = (router: string) => world.portsOf(router, HA_PORT);
const agentAct = (name: string, id: string, router: string) =>
  world.of('agent').act(ADMIN, name, {
    id,
    parameters: { router_id: router },
    body: name === 'add_l3_router' ? { router_id: router } : undefined,
    revision: undefined,
  });
const states = async (router: string) => {
  const { agents } = (await world.act('list_l3_agents', router)) as { agents: readonly Document[] };
  return Object.fromEntries(agents.map(({ host, ha_state }) => [host, ha_state]));
};
const table = (name: 'ha_router_networks' | 'ha_router_vrid_allocations' | 'ha_router_agent_port_bindings') =>
  world.core.db.kysely.selectFrom(name).selectAll().execute();
const agents = (...hosts: readonly string[]) => Promise.all(hosts.map((host) => world.l3Agent(host)));

describe('the network of highly available routers', () => {
  test('is made with the first router of a project, belongs to nobody, and goes with the last one', async () => {
    const one = await world.router({ ha: true });
    const two = await world.router({ ha: true });
    const [network, ...others] = await haNetworks();
    expect(others).toEqual([]);
    expect(network).toMatchObject({ project_id: '', shared: false, admin_state_up: true, port_security_enabled: true });
    expect(await list('subnet')).toMatchObject([
      {
        ...{ name: 'HA subnet tenant p1', project_id: '', cidr: '169.254.192.0/18', enable_dhcp: false },
        ...{ gateway_ip: null, allocation_pools: [{ start: '169.254.192.1', end: '169.254.255.254' }] },
      },
    ]);
    expect(await list('network', {}, memberOf('p1'))).toEqual([]);
    const vrids = (await table('ha_router_vrid_allocations')) as { network_id: string; vr_id: number }[];
    expect(new Set(vrids.map(({ vr_id }) => vr_id)).size).toBe(2);
    for (const { network_id, vr_id } of vrids) {
      expect(network_id).toBe(network?.id);
      expect(vr_id).toSatisfy((id: number) => id >= 1 && id <= 254);
    }
    await world.router({ ha: true, project_id: 'p2' });
    expect(await haNetworks('p2')).toHaveLength(1);
    await expect(world.deleteNetwork(String(network?.id))).rejects.toMatchObject({ type: 'NetworkInUse' });
    await world.routers.delete(ADMIN, one.id);
    expect(await haNetworks()).toEqual([network]);
    await world.routers.delete(ADMIN, two.id);
    expect(await haNetworks()).toEqual([]);
    expect(await table('ha_router_vrid_allocations')).toHaveLength(1);
    expect(await table('ha_router_networks')).toHaveLength(1);
  });

  test('is one for routers that are made at once, with a VRID each', async () => {
    const made = await Promise.all(Array.from({ length: 8 }, () => world.router({ ha: true })));
    expect(await haNetworks()).toHaveLength(1);
    const rows = await world.core.db.kysely.selectFrom('router_extra_attributes').select('ha_vr_id').execute();
    expect(new Set(rows.map((row) => row.ha_vr_id)).size).toBe(made.length);
    await Promise.all(made.map(({ id }) => world.routers.delete(ADMIN, id)));
    expect(await haNetworks()).toEqual([]);
  });

  test('has the configured prefix, type and physical network', async () => {
    await world.close();
    world = await createRouterWorld({
      DEFAULT: {
        ...{ l3_ha: true, l3_ha_net_cidr: '169.254.64.0/24' },
        ...{ l3_ha_network_type: 'flat', l3_ha_network_physical_name: 'physnet1' },
      },
    });
    await world.router();
    expect(await haNetworks()).toMatchObject([
      { 'provider:network_type': 'flat', 'provider:physical_network': 'physnet1' },
    ]);
    expect(await list('subnet')).toMatchObject([{ cidr: '169.254.64.0/24' }]);
    // The physical network has no room for another one.
    await expect(world.router({ project_id: 'p2' })).rejects.toMatchObject({ type: 'FlatNetworkInUse' });
    expect(await list('router')).toHaveLength(1);
  });

  test('has 254 VRIDs', async () => {
    const { id } = await world.router({ ha: true });
    const [own] = (await table('ha_router_vrid_allocations')) as { network_id: string; vr_id: number }[];
    const rows = Array.from({ length: 254 }, (_, index) => ({ network_id: own?.network_id ?? '', vr_id: index + 1 }));
    await world.core.db.kysely
      .insertInto('ha_router_vrid_allocations')
      .values(rows.filter(({ vr_id }) => vr_id !== own?.vr_id))
      .execute();
    await expect(world.router({ ha: true })).rejects.toMatchObject({ type: 'NoVRIDAvailable', status: 409 });
    expect(await list('router')).toMatchObject([{ id }]);
  });
});

describe('a highly available router', () => {
  test('is on max_l3_agents_per_router agents at once, with a port of nobody for each', async () => {
    await agents('h1', 'h2', 'h3', 'h4');
    const { id } = await world.router({ ha: true });
    const ports = await haPorts(id);
    expect(ports).toHaveLength(3);
    const [network] = await haNetworks();
    for (const port of ports)
      expect(port).toMatchObject({
        ...{ name: 'HA port tenant p1', project_id: '', network_id: network?.id, 'binding:host_id': '' },
        ...{ port_security_enabled: false, security_groups: [], fixed_ips: [{ subnet_id: expect.anything() }] },
      });
    expect(Object.values(await states(id))).toEqual(['standby', 'standby', 'standby']);
    expect((await world.outbox()).filter(({ method }) => method === 'router_added_to_agent')).toHaveLength(3);
    await world.routers.delete(ADMIN, id);
    expect([await haNetworks(), await table('ha_router_agent_port_bindings')]).toEqual([[], []]);
  });

  test('gets a port with each agent, and loses it with the agent', async () => {
    const [one = ''] = await agents('h1');
    const { id } = await world.router({ ha: true });
    const [two = '', three = ''] = await agents('h2', 'h3');
    await agentAct('add_l3_router', two, id);
    await agentAct('add_l3_router', two, id);
    expect(await haPorts(id)).toHaveLength(2);
    await agentAct('remove_l3_router', one, id);
    expect(await states(id)).toEqual({ h2: 'standby' });
    expect(await haPorts(id)).toHaveLength(1);
    // A change schedules what is missing, as the relay does.
    const relay = new HostingAgents(world.core, world.allocator, HOSTINGS, [EVENTS.routers_updated]);
    const event = { event: EVENTS.routers_updated, payload: {}, orderingKey: id, needsAgent: true };
    await relay.hostsOf([{ ...event, row: 0, host: null }]);
    expect(await haPorts(id)).toHaveLength(3);
    await agentAct('remove_l3_router', one, id);
    await resourceMover(world.core, world.allocator, 'any')(L3_AGENTS, id, two);
    expect([Object.keys(await states(id)).sort(), await haPorts(id)]).toEqual([
      ['h1', 'h3'],
      [expect.anything(), expect.anything()],
    ]);
    await world.of('agent').delete(ADMIN, three);
    expect(await haPorts(id)).toHaveLength(1);
  });

  test('has states that its agents report, as far as they are alive', async () => {
    const [one = '', two = ''] = await agents('h1', 'h2');
    const { id } = await world.router({ ha: true });
    await world.core.db.kysely
      .updateTable('ha_router_agent_port_bindings')
      .set({ state: 'active' })
      .where('l3_agent_id', '=', one)
      .execute();
    expect(await states(id)).toEqual({ h1: 'active', h2: 'standby' });
    await world.kill(one);
    expect(await states(id)).toEqual({ h1: 'standby', h2: 'standby' });
    await world.kill(two);
    expect(await states(id)).toEqual({ h1: 'unknown', h2: 'standby' });
  });

  test('stays on its agents when one dies, because another one takes over by itself', async () => {
    const [one = ''] = await agents('h1');
    const { id } = await world.router({ ha: true });
    const { id: single } = await world.router();
    await world.attached(single, '10.0.0.0/24');
    await agentAct('add_l3_router', one, single);
    const { config, db } = world.core;
    await agents('h2');
    await world.kill(one);
    const alive = await aliveAgents(db.kysely, config, L3_AGENTS, false);
    const moving = await Array.fromAsync(resourcesWithSuccessor(db.kysely, config, L3_AGENTS, one, alive));
    expect(moving).toEqual([single]);
    expect(await states(id)).toEqual({ h1: 'standby' });
  });

  test('becomes an ordinary one while it is down, and back', async () => {
    await agents('h1', 'h2');
    const { id } = await world.router({ admin_state_up: false });
    const { port } = await world.attached(id, '10.0.0.0/24');
    await world.update(id, { ha: true });
    expect(await haPorts(id)).toHaveLength(2);
    const [network] = await haNetworks();
    await world.update(id, { distributed: true });
    expect([await haNetworks(), await haPorts(id)]).toEqual([[network], [expect.anything(), expect.anything()]]);
    await world.update(id, { distributed: false });
    await expect(world.update(id, { ha: false, admin_state_up: true })).rejects.toMatchObject({ type: 'BadRequest' });
    await world.update(id, { ha: false });
    expect(await world.portOf(port)).toMatchObject({ device_owner: 'network:router_interface' });
    expect([await haNetworks(), await haPorts(id), await states(id)]).toEqual([[], [], {}]);
  });

  test('keeps its ports when a host is renamed', async () => {
    const [old = ''] = await agents('h1');
    const { id } = await world.router({ ha: true });
    const [namesake = ''] = await agents('h9');
    await agentAct('add_l3_router', namesake, id);
    const other = await world.router({ ha: true });
    await agentAct('remove_l3_router', old, other.id);
    for (const agent of [old, namesake]) await world.kill(agent);
    await renameHost(world.core, 'h1', 'h9');
    for (const router of [id, other.id]) {
      expect(await states(router)).toEqual({ h9: 'standby' });
      expect(await haPorts(router)).toHaveLength(1);
    }
  });

  test("is an administrator's, and so are its ports, which only administrators delete", async () => {
    await agents('h1');
    await expect(world.router({ ha: true }, memberOf('p1'))).rejects.toMatchObject({ type: 'PolicyNotAuthorized' });
    const { id } = await world.router({ ha: true });
    const [port] = await haPorts(id);
    await expect(world.of('port').delete(memberOf('p1'), String(port?.id))).rejects.toMatchObject({ status: 404 });
    await world.deletePort(String(port?.id));
    expect(await table('ha_router_agent_port_bindings')).toEqual([]);
    await world.routers.delete(ADMIN, id);
    expect(await haNetworks()).toEqual([]);
  });
});
