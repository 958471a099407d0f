import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DHCP_AGENTS } from '../../src/scheduler/agent-kinds.ts';
import { autoSchedulePage } from '../../src/scheduler/auto-schedule.ts';
import { bind, hostingAgents, unbind } from '../../src/scheduler/bindings.ts';
import { scheduleResources } from '../../src/scheduler/schedule.ts';
import { willBeServed } from '../../src/scheduler/serving.ts';
import { weight } from '../../src/scheduler/weight.ts';
import { type ConfigChanges, createWorld, dhcpState, type World } from '../plugin/world.ts';

let world: World;
const begin = async (changes: ConfigChanges = {}) => {
  world = await createWorld(changes);
};
beforeEach(() => begin());
afterEach(() => world.close());

const schedule = (...networks: string[]) =>
  world.transaction((trx) => scheduleResources(trx, world.core.config, DHCP_AGENTS, weight, networks));
const hosts = async (network: string) => {
  const serving = await hostingAgents(world.core.db.kysely, world.core.config, DHCP_AGENTS, [network]);
  return (serving.get(network) ?? []).map((agent) => agent.host);
};
const dhcpNetwork = async (values = {}) => {
  const network = await world.network(values);
  await world.subnet(network, '10.0.0.0/24');
  return network;
};

describe('scheduling networks', () => {
  it('binds a network with a DHCP subnet to a live agent', async () => {
    const agent = await world.dhcpAgent('h1');
    const network = await dhcpNetwork();
    const made = await schedule(network);
    expect(made.map((b) => [b.resourceId, b.agent.id])).toEqual([[network, agent]]);
    expect(await hosts(network)).toEqual(['h1']);
  });

  it('never binds a network without a subnet that has DHCP', async () => {
    await world.dhcpAgent('h1');
    const bare = await world.network();
    const without = await world.network();
    await world.subnet(without, '10.1.0.0/24', { enable_dhcp: false });
    expect(await schedule(bare, without)).toEqual([]);
  });

  it('skips dead and disabled agents', async () => {
    await world.kill(await world.dhcpAgent('dead'));
    const disabled = await world.dhcpAgent('disabled');
    await world.core.db.kysely.updateTable('agents').set({ admin_state_up: 0 }).where('id', '=', disabled).execute();
    await world.l2Agent('l2');
    const network = await dhcpNetwork();
    expect(await schedule(network)).toEqual([]);
    await world.dhcpAgent('living');
    await schedule(network);
    expect(await hosts(network)).toEqual(['living']);
  });

  it('keeps networks that name no zone to default_availability_zones', async () => {
    await world.close();
    await begin({ DEFAULT: { default_availability_zones: ['east'] } });
    await world.dhcpAgent('h1', { ...dhcpState('h1'), availability_zone: 'west' });
    const network = await dhcpNetwork();
    const west = await dhcpNetwork({ availability_zone_hints: ['west'] });
    await schedule(network, west);
    expect([await hosts(network), await hosts(west)]).toEqual([[], ['h1']]);
    expect(await willBeServed(world.core.db.kysely, world.core.config, DHCP_AGENTS, network)).toBe(false);
    await world.dhcpAgent('h2', { ...dhcpState('h2'), availability_zone: 'east' });
    expect(await willBeServed(world.core.db.kysely, world.core.config, DHCP_AGENTS, network)).toBe(true);
    await schedule(network);
    expect(await hosts(network)).toEqual(['h2']);
  });

  it('binds as many agents as dhcp_agents_per_network and no more', async () => {
    await world.close();
    await begin({ DEFAULT: { dhcp_agents_per_network: 2 } });
    for (const host of ['h1', 'h2', 'h3']) await world.dhcpAgent(host);
    const network = await dhcpNetwork();
    expect(await schedule(network)).toHaveLength(2);
    expect(await schedule(network)).toHaveLength(0);
    expect(await hosts(network)).toHaveLength(2);
  });

  it('spreads networks of one pass over the agents by load', async () => {
    for (const host of ['h1', 'h2']) await world.dhcpAgent(host);
    const networks = [await dhcpNetwork(), await dhcpNetwork(), await dhcpNetwork(), await dhcpNetwork()];
    await schedule(...networks);
    const all = (await Promise.all(networks.map(hosts))).flat().sort();
    expect(all).toEqual(['h1', 'h1', 'h2', 'h2']);
  });

  it('follows availability_zone_hints', async () => {
    await world.dhcpAgent('h1', { availability_zone: 'z1' });
    await world.dhcpAgent('h2', { availability_zone: 'z2' });
    const network = await dhcpNetwork({ availability_zone_hints: ['z2'] });
    await schedule(network);
    expect(await hosts(network)).toEqual(['h2']);
  });

  it('fills the lowest vacant binding_index', async () => {
    const agents = [await world.dhcpAgent('h1'), await world.dhcpAgent('h2'), await world.dhcpAgent('h3')];
    const network = await dhcpNetwork();
    const [a = '', b = '', c = ''] = agents;
    await world.transaction(async (trx) => {
      for (const agent of [a, b]) expect(await bind(trx, DHCP_AGENTS, network, agent)).toBe(true);
      expect(await bind(trx, DHCP_AGENTS, network, b)).toBe(false);
      expect(await bind(trx, DHCP_AGENTS, network, c, 2)).toBe(false);
      expect(await unbind(trx, DHCP_AGENTS, network, a)).toBe(true);
      expect(await unbind(trx, DHCP_AGENTS, network, a)).toBe(false);
      expect(await bind(trx, DHCP_AGENTS, network, c, 2)).toBe(true);
    });
    const rows = await world.core.db.kysely.selectFrom('networkdhcpagentbindings').selectAll().execute();
    expect(rows.map((r) => [r.dhcp_agent_id, r.binding_index]).sort()).toEqual(
      [
        [b, 2],
        [c, 1],
      ].sort(),
    );
  });
});

describe('auto scheduling', () => {
  const auto = async (id: string, zone = 'nova', page = 2) => {
    let after: string | undefined = '';
    let pages = 0;
    while (after !== undefined) {
      const from: string = after;
      after = await world.transaction((trx) =>
        autoSchedulePage(trx, world.core.config, DHCP_AGENTS, { id, host: id, availabilityZone: zone }, from, page),
      );
      pages += 1;
    }
    return pages;
  };

  it('binds all unserved networks with DHCP to the asking agent, page by page', async () => {
    const agent = await world.dhcpAgent('h1');
    const networks = [];
    for (let i = 0; i < 5; i += 1) networks.push(await dhcpNetwork());
    const without = await world.network();
    expect(await auto(agent)).toBeGreaterThan(2);
    for (const network of networks) expect(await hosts(network)).toEqual(['h1']);
    expect(await hosts(without)).toEqual([]);
  });

  it('skips networks that have their agents, and those of other zones', async () => {
    const first = await world.dhcpAgent('h1');
    const second = await world.dhcpAgent('h2');
    const served = await dhcpNetwork();
    await world.transaction((trx) => bind(trx, DHCP_AGENTS, served, first));
    await world.dhcpAgent('h3', { availability_zone: 'z3' });
    const elsewhere = await dhcpNetwork({ availability_zone_hints: ['z3'] });
    await auto(second);
    expect(await hosts(served)).toEqual(['h1']);
    expect(await hosts(elsewhere)).toEqual([]);
  });
});

describe('a network', () => {
  const asked = (network: string) => willBeServed(world.core.db.kysely, world.core.config, DHCP_AGENTS, network);

  it('will be served when an agent is alive that it can be scheduled to', async () => {
    const network = await dhcpNetwork();
    expect(await asked(network)).toBe(false);
    await world.dhcpAgent('h1');
    expect(await asked(network)).toBe(true);
  });

  it('will be served when a dead agent hosts it, but not when there are only dead agents', async () => {
    const agent = await world.dhcpAgent('h1');
    const [bound, unbound] = [await dhcpNetwork(), await dhcpNetwork()];
    await world.transaction((trx) => bind(trx, DHCP_AGENTS, bound, agent));
    await world.kill(agent);
    expect(await asked(bound)).toBe(true);
    expect(await asked(unbound)).toBe(false);
  });

  it('will not be served when no live agent is in a zone of its hints', async () => {
    const other = await world.dhcpAgent('h2', { availability_zone: 'z2' });
    const network = await dhcpNetwork({ availability_zone_hints: ['z2'] });
    await world.kill(other);
    await world.dhcpAgent('h1', { availability_zone: 'z1' });
    expect(await asked(network)).toBe(false);
  });

  it('will not be served when agents are not notified', async () => {
    await world.close();
    await begin({ DEFAULT: { dhcp_agent_notification: false } });
    await world.dhcpAgent('h1');
    expect(await asked(await dhcpNetwork())).toBe(false);
  });
});
