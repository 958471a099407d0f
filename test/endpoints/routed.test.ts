import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dhcpDeviceId, RESERVED_DHCP_PORT } from '../../src/net/dhcp-device-id.ts';
import { HostingAgents } from '../../src/notifier/hosting-agents.ts';
import { EVENTS } from '../../src/rpc/events.ts';
import { DHCP_AGENTS } from '../../src/scheduler/agent-kinds.ts';
import { autoSchedulePage } from '../../src/scheduler/auto-schedule.ts';
import { bind, hostingAgents } from '../../src/scheduler/bindings.ts';
import { willBeServed } from '../../src/scheduler/serving.ts';
import { chooseSuccessor } from '../../src/scheduler/successors.ts';
import { weight } from '../../src/scheduler/weight.ts';
import { createServedWorld, type ServedWorld } from './agents.ts';

let world: ServedWorld;
beforeEach(async () => {
  world = await createServedWorld({
    ml2_type_vlan: { network_vlan_ranges: ['rack1:100:199', 'rack2:100:199', 'rack3:100:199'] },
  });
});
afterEach(() => world.close());

const racks = (...names: readonly string[]) => ({
  configurations: { interface_mappings: Object.fromEntries(names.map((name) => [name, 'eth1'])) },
});
/** Both agents of a host in a rack; returns the id of the DHCP agent. */
async function host(name: string, ...rack: readonly string[]): Promise<string> {
  await world.l2Agent(name, racks(...rack));
  return world.dhcpAgent(name);
}

/** A network with a segment and a subnet in rack1 and rack2. */
async function routed(options: { readonly dhcp?: boolean } = {}) {
  const network = await world.network({
    segments: ['rack1', 'rack2'].map((physnet) => ({
      'provider:network_type': 'vlan',
      'provider:physical_network': physnet,
    })),
  });
  const segments = await world.core.db.kysely
    .selectFrom('networksegments')
    .selectAll()
    .where('network_id', '=', network)
    .orderBy('segment_index')
    .execute();
  const subnets: string[] = [];
  for (const [at, { id }] of segments.entries())
    subnets.push(
      await world.subnet(network, `10.${at + 1}.0.0/24`, { segment_id: id, enable_dhcp: options.dhcp ?? true }),
    );
  return { network, segments, subnets } as const;
}

const hosts = async (network: string): Promise<readonly string[]> => {
  const serving = await hostingAgents(world.core.db.kysely, world.core.config, DHCP_AGENTS, [network]);
  return (serving.get(network) ?? []).map((agent) => agent.host).sort();
};
/** Schedules the network of an event as the relay does; returns what is logged as a warning. */
async function notice(network: string): Promise<readonly object[]> {
  const warnings: object[] = [];
  const write = (line: string) => {
    const { level, time: _time, pid: _pid, hostname: _hostname, ...facts } = JSON.parse(line);
    if (level === 40) warnings.push(facts);
  };
  const agents = new HostingAgents(
    { ...world.core, log: pino({ level: 'warn' }, { write }) },
    world.allocator,
    [{ kind: DHCP_AGENTS }],
    [EVENTS.network_segments_changed],
  );
  const event = { event: EVENTS.network_segments_changed, payload: {}, orderingKey: network, needsAgent: true };
  await agents.hostsOf([{ ...event, row: 0, host: null }]);
  return warnings;
}
const info = async (network: string, on: string) => {
  const answer = await world.plugin.call('get_network_info', { network_id: network, host: on });
  if (!answer) throw new Error('no answer');
  return answer;
};

describe('a routed network', () => {
  it('gets agents for each segment, from the hosts that reach it', async () => {
    const { network, segments } = await routed();
    await host('a1', 'rack1');
    await host('a2', 'rack1');
    await host('c1', 'rack3');
    await notice(network);
    expect((await hosts(network)).length).toBe(1);
    expect((await hosts(network))[0]).toMatch(/^a/);
    // The operator learns which segment has none.
    expect(await notice(network)).toEqual([
      { network, name: 'n', part: segments[1]?.id, msg: expect.stringContaining('can serve a part of the network') },
    ]);
    expect(await willBeServed(world.core.db.kysely, world.core.config, DHCP_AGENTS, network)).toBe(true);
    await host('b1', 'rack2');
    await notice(network);
    expect(await hosts(network)).toEqual([expect.stringMatching(/^a/), 'b1']);
    await notice(network);
    expect(await hosts(network)).toHaveLength(2);
  });

  it('waits for agents on its segments', async () => {
    const { network } = await routed();
    await host('c1', 'rack3');
    await notice(network);
    expect(await hosts(network)).toEqual([]);
    expect(await willBeServed(world.core.db.kysely, world.core.config, DHCP_AGENTS, network)).toBe(false);
  });

  it('is given to agents that ask, for segments that lack one', async () => {
    const { network } = await routed();
    const agents = new Map<string, string>();
    for (const [name, rack] of [
      ['a1', 'rack1'],
      ['a2', 'rack1'],
      ['b1', 'rack2'],
      ['c1', 'rack3'],
    ] as const)
      agents.set(name, await host(name, rack));
    const ask = (name: string) =>
      world.transaction((trx) =>
        autoSchedulePage(
          trx,
          world.core.config,
          DHCP_AGENTS,
          { id: agents.get(name) ?? '', host: name, availabilityZone: 'nova' },
          '',
          10,
        ),
      );
    for (const name of ['c1', 'a1', 'a2']) await ask(name);
    expect(await hosts(network)).toEqual(['a1']);
    await ask('b1');
    expect(await hosts(network)).toEqual(['a1', 'b1']);
  });

  it('moves from a dead agent to one on the same segment only', async () => {
    const { network } = await routed();
    const a1 = await host('a1', 'rack1');
    const b1 = await host('b1', 'rack2');
    await host('b2', 'rack2');
    for (const agent of [a1, b1]) await world.transaction((trx) => bind(trx, DHCP_AGENTS, network, agent));
    const successorOf = (agent: string) =>
      world.transaction((trx) => chooseSuccessor(trx, world.core.config, DHCP_AGENTS, weight, network, agent));
    expect((await successorOf(b1))?.host).toBe('b2');
    expect(await successorOf(a1)).toBeUndefined();
    await host('a2', 'rack1');
    expect((await successorOf(a1))?.host).toBe('a2');
  });

  it('differs from one on a physical network, whose agents are on any host that reaches it', async () => {
    const network = await world.network({
      'provider:network_type': 'vlan',
      'provider:physical_network': 'rack2',
    });
    await world.subnet(network, '10.9.0.0/24');
    const a1 = await world.dhcpAgent('a1');
    // Nothing is known of who reaches it: any agent will do.
    expect(await willBeServed(world.core.db.kysely, world.core.config, DHCP_AGENTS, network)).toBe(true);
    await host('c1', 'rack1', 'rack2');
    await notice(network);
    expect(await hosts(network)).toEqual(['c1']);
    await host('c2', 'rack2');
    const successor = await world.transaction((trx) =>
      hostingAgents(trx, world.core.config, DHCP_AGENTS, [network]).then((found) =>
        chooseSuccessor(trx, world.core.config, DHCP_AGENTS, weight, network, found.get(network)?.[0]?.id ?? ''),
      ),
    );
    expect(successor?.host).toBe('c2');
    expect(a1).not.toBe(successor?.id);
  });

  it('makes agents read it again when hosts gain or lose a segment', async () => {
    const { network } = await routed();
    await routed({ dhcp: false });
    await world.outbox();
    await host('a1', 'rack1');
    const changed = { method: 'network_segments_changed', ordering_key: network };
    const payload = { network: { id: network, admin_state_up: true } };
    expect(await world.outbox()).toMatchObject([{ ...changed, payload }]);
    await host('a1', 'rack1');
    expect(await world.outbox()).toEqual([]);
    await host('a1', 'rack3');
    expect(await world.outbox()).toMatchObject([changed]);
  });

  it('is described to agents from where they are', async () => {
    await host('a1', 'rack1');
    await host('b1', 'rack2');
    const { network, subnets, segments } = await routed();
    const shown = async (name: string) => {
      const { subnets: own, non_local_subnets: others } = await info(network, name);
      return [own.map(({ id }) => id), others.map(({ id }) => id)];
    };
    expect(await shown('a1')).toEqual([[subnets[0]], [subnets[1]]]);
    expect(await shown('b1')).toEqual([[subnets[1]], [subnets[0]]]);
    expect(await shown('nowhere')).toEqual([[], [...subnets].sort()]);
    expect(await info(network, 'a1')).toMatchObject({
      subnets: [{ segment_id: segments[0]?.id }],
      segments: [
        { id: segments[0]?.id, hosts: ['a1'] },
        { id: segments[1]?.id, hosts: ['b1'] },
      ],
    });
  });

  it('has a DHCP port for each agent, with addresses on its segment', async () => {
    const { network, subnets, segments } = await routed();
    const made = new Map<string, string>();
    for (const [at, name] of ['a1', 'b1'].entries()) {
      const agent = await host(name, `rack${at + 1}`);
      await world.transaction((trx) => bind(trx, DHCP_AGENTS, network, agent));
      const { subnets: own } = await info(network, name);
      const port = await world.plugin.call('create_dhcp_port', {
        host: name,
        port: {
          port: {
            network_id: network,
            device_id: dhcpDeviceId(name, network),
            fixed_ips: own.map(({ id }) => ({ subnet_id: id })),
          },
        },
      });
      expect(port?.fixed_ips.map(({ subnet_id }) => subnet_id)).toEqual([subnets[at]]);
      made.set(name, port?.id ?? '');
      // Its L2 agent connects it to the host's own segment.
      const [details] = await world.plugin.call('get_devices_details_list', {
        devices: [port?.id ?? ''],
        agent_id: `lb-${name}`,
        host: name,
      });
      expect(details).toMatchObject({
        physical_network: `rack${at + 1}`,
        segmentation_id: segments[at]?.segmentation_id,
      });
    }
    // A port that an agent elsewhere left is not adopted.
    await world.updatePort(made.get('a1') ?? '', { device_id: RESERVED_DHCP_PORT });
    const adopted = world.plugin.call('update_dhcp_port', {
      host: 'b1',
      port_id: made.get('a1') ?? '',
      port: { port: { network_id: network, device_id: dhcpDeviceId('b1', network) } },
    });
    await expect(adopted).rejects.toMatchObject({ remoteClass: 'DhcpPortInUse' });
    expect(await world.portOf(made.get('a1') ?? '')).toMatchObject({ device_id: RESERVED_DHCP_PORT });
  });
});
