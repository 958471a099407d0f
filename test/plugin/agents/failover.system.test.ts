import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDatabase } from '../../../src/db/open.ts';
import { AddressAllocator } from '../../../src/ipam/allocate.ts';
import { dhcpDeviceId, RESERVED_DHCP_PORT } from '../../../src/net/dhcp-device-id.ts';
import { resourceMover } from '../../../src/plugin/agents/move.ts';
import type { Core } from '../../../src/plugin/core.ts';
import { DHCP_AGENTS } from '../../../src/scheduler/agent-kinds.ts';
import { bind, hostingAgents } from '../../../src/scheduler/bindings.ts';
import { startFailover } from '../../../src/scheduler/failover.ts';
import { createServedWorld, type ServedWorld } from '../../endpoints/agents.ts';
import { type ConfigChanges, dhcpState } from '../world.ts';

let world: ServedWorld;
let closing: (() => Promise<void>)[];
const begin = async (options: ConfigChanges['DEFAULT'] = {}) => {
  // Seconds instead of minutes.
  world = await createServedWorld({ DEFAULT: { agent_down_time: 1, network_scheduler_driver: 'weight', ...options } });
  closing = [() => world.close()];
};
const end = async () => {
  for (const close of closing.splice(0).reverse()) await close();
};
const beginAnew = async (options: ConfigChanges['DEFAULT']) => {
  await end();
  await begin(options);
};
beforeEach(() => begin());
afterEach(end);

/** A server that moves networks; another one has its own database handle. */
function failover(core: Core = world.core): void {
  const running = startFailover({ ...core, move: resourceMover(core, new AddressAllocator()) });
  closing.push(() => running.close());
}
function anotherServer(): Core {
  const db = openDatabase(world.core.config);
  closing.push(() => db.close());
  return { ...world.core, db };
}
/** An agent that keeps reporting. */
async function immortal(host: string, state = {}): Promise<string> {
  const id = await world.dhcpAgent(host, state);
  await heartbeat(id, '2999-01-01 00:00:00');
  return id;
}
const heartbeat = (id: string, heartbeat_timestamp: string) =>
  world.core.db.kysely.updateTable('agents').set({ heartbeat_timestamp }).where('id', '=', id).execute();
async function dead(host: string): Promise<string> {
  const id = await world.dhcpAgent(host);
  await world.kill(id);
  return id;
}
const hosts = async (network: string) =>
  ((await hostingAgents(world.core.db.kysely, world.core.config, DHCP_AGENTS, [network])).get(network) ?? []).map(
    (a) => a.host,
  );
const bindTo = (network: string, ...agents: string[]) =>
  world.transaction(async (trx) => {
    for (const agent of agents) await bind(trx, DHCP_AGENTS, network, agent);
  });
const SOON = { timeout: 30_000 };
const move = (network: string, agent: string) =>
  resourceMover(world.core, world.allocator)(DHCP_AGENTS, network, agent);
/** A network that is moved in the next check, which proves that the check has not moved the others. */
async function afterOneMore(agent: string): Promise<void> {
  const mark = await world.served(agent, '10.99.0.0/24');
  await expect.poll(() => hosts(mark), SOON).not.toEqual([expect.stringContaining('dead')]);
}

describe('networks of a dead DHCP agent', () => {
  it('are served by a live one, which is notified; the dead one is not', async () => {
    const [old, living] = [await dead('dead'), await immortal('h1')];
    const network = await world.served(old);
    await world.outbox();
    failover();
    await expect.poll(() => hosts(network), SOON).toEqual(['h1']);
    expect(await world.outbox()).toEqual([
      {
        method: 'network_added_to_agent',
        ordering_key: network,
        host: 'h1',
        payload: { network: { id: network } },
      },
    ]);
    const rows = await world.core.db.kysely.selectFrom('networkdhcpagentbindings').selectAll().execute();
    expect(rows).toEqual([{ network_id: network, dhcp_agent_id: living, binding_index: 1 }]);
    await expect.poll(() => world.core.db.kysely.selectFrom('workclaims').selectAll().execute(), SOON).toEqual([]);
  });

  it('keep their DHCP server address: the port is reserved for the next agent, which takes it over', async () => {
    const old = await world.dhcpAgent('dead');
    await immortal('h1');
    const network = await world.served(old);
    const port = { network_id: network, device_id: dhcpDeviceId('dead', network) };
    const before = await world.plugin.call('create_dhcp_port', { port: { port }, host: 'dead' });
    const id = String(before?.id);
    await world.kill(old);
    expect(await move(network, old)).toBe('h1');
    expect(await world.portOf(id)).toMatchObject({ device_id: RESERVED_DHCP_PORT, fixed_ips: before?.fixed_ips });
    const taken = { network_id: network, device_id: dhcpDeviceId('h1', network) };
    const after = await world.plugin.call('update_dhcp_port', { port_id: id, port: { port: taken }, host: 'h1' });
    expect(after).toMatchObject({ device_id: taken.device_id, fixed_ips: before?.fixed_ips });
  });

  it('are dropped by an agent that returns: it is revived, and requests its networks', async () => {
    const old = await dead('dead');
    await immortal('h1');
    const [lost, kept] = [await world.served(old), await world.network()];
    await world.subnet(kept, '10.1.0.0/24', { enable_dhcp: false });
    await bindTo(kept, old);
    expect(await move(lost, old)).toBe('h1');
    const report = { agent_state: { agent_state: dhcpState('dead') }, time: '2026-11-21T21:57:19.289277' };
    expect(await world.reports.call('report_state', report as never)).toBe('revived');
    const networks = await world.active({ host: 'dead' });
    expect(networks.map((network) => network.id)).toEqual([kept]);
  });

  it('are not moved if the agent is alive again, or lost them meanwhile', async () => {
    const [old, ,] = [await world.dhcpAgent('h0'), await immortal('h1')];
    const network = await world.served(old);
    await heartbeat(old, '2999-01-01 00:00:00');
    expect(await move(network, old)).toBeUndefined();
    expect(await hosts(network)).toEqual(['h0']);
    await world.kill(old);
    expect(await move(world.nobody, old)).toBeUndefined();
    expect(await move(network, old)).toBe('h1');
    expect(await move(network, old)).toBeUndefined();
    expect(await hosts(network)).toEqual(['h1']);
  });

  it('are not moved without another agent that is alive and enabled', async () => {
    const old = await dead('dead');
    const network = await world.served(old);
    const disabled = await immortal('disabled');
    await world.core.db.kysely.updateTable('agents').set({ admin_state_up: 0 }).where('id', '=', disabled).execute();
    await dead('dead2');
    await world.l2Agent('h1');
    expect(await move(network, old)).toBeUndefined();
    expect(await hosts(network)).toEqual(['dead']);
  });

  it('are not moved off a disabled agent', async () => {
    const disabled = await dead('dead');
    await world.core.db.kysely.updateTable('agents').set({ admin_state_up: 0 }).where('id', '=', disabled).execute();
    const [network, other] = [await world.served(disabled), await dead('dead2')];
    await immortal('h1');
    failover();
    await afterOneMore(other);
    expect(await hosts(network)).toEqual(['dead']);
    expect(await move(network, disabled)).toBeUndefined();
  });

  it('are not moved if they need no DHCP', async () => {
    const old = await dead('dead');
    await immortal('h1');
    const network = await world.network();
    await bindTo(network, old);
    expect(await move(network, old)).toBeUndefined();
    failover();
    await afterOneMore(old);
    expect(await hosts(network)).toEqual(['dead']);
  });

  it('move only to zones that they allow', async () => {
    const old = await world.dhcpAgent('dead', { availability_zone: 'z2' });
    await world.kill(old);
    await immortal('h1', { availability_zone: 'z1' });
    const [bound, free] = [await world.network({ availability_zone_hints: ['z2'] }), await world.served(old)];
    await world.subnet(bound, '10.1.0.0/24');
    await bindTo(bound, old);
    failover();
    await expect.poll(() => hosts(free), SOON).toEqual(['h1']);
    expect(await hosts(bound)).toEqual(['dead']);
    await immortal('h2', { availability_zone: 'z2' });
    await expect.poll(() => hosts(bound), SOON).toEqual(['h2']);
  });

  it('are spread over the live agents by the scheduler', async () => {
    const old = await dead('dead');
    await immortal('h1');
    await immortal('h2');
    const networks: string[] = [];
    for (let n = 0; n < 6; n += 1) networks.push(await world.served(old));
    failover();
    const all = async () => (await Promise.all(networks.map(hosts))).flat().sort();
    await expect.poll(all, SOON).toEqual(['h1', 'h1', 'h1', 'h2', 'h2', 'h2']);
  });
});

describe('a network that cannot be moved', () => {
  it('does not prevent others from being moved', async () => {
    const old = await dead('dead');
    await immortal('h1');
    const networks: string[] = [];
    for (let n = 0; n < 3; n += 1) networks.push(await world.served(old));
    const [bad, ...good] = networks.sort();
    const running = startFailover({
      ...world.core,
      move: (_kind, network, agent) => {
        if (network === bad) throw new Error('its port is broken');
        return move(network, agent);
      },
    });
    closing.push(() => running.close());
    await expect.poll(async () => (await Promise.all(good.map(hosts))).flat(), SOON).toEqual(['h1', 'h1']);
    expect(await hosts(bad ?? '')).toEqual(['dead']);
  });
});

describe('networks of several agents', () => {
  it('keep their number of agents if another one can replace the dead one', async () => {
    await beginAnew({ dhcp_agents_per_network: 2 });
    const [old, second] = [await dead('dead'), await immortal('h1')];
    const network = await world.served(old);
    await bindTo(network, second);
    failover();
    await afterOneMore(old);
    expect(await hosts(network)).toEqual(['dead', 'h1']);
    await immortal('h2');
    await expect.poll(() => hosts(network), SOON).toEqual(['h2', 'h1']);
  });
});

describe('several servers', () => {
  it('move each network once', async () => {
    const old = await dead('dead');
    await immortal('h1');
    const networks: string[] = [];
    for (let n = 0; n < 8; n += 1) networks.push(await world.served(old));
    await world.outbox();
    failover();
    failover(anotherServer());
    await expect.poll(async () => (await Promise.all(networks.map(hosts))).flat(), SOON).not.toContain('dead');
    const told = (await world.outbox()).map((event) => event.ordering_key);
    expect(told.sort()).toEqual([...networks].sort());
  });

  it('continue if the one that was moving networks is killed', async () => {
    const claims = () => world.core.db.kysely.selectFrom('workclaims').selectAll().execute();
    const [old, ,] = [await dead('dead'), await immortal('h1')];
    const network = await world.served(old);
    const row = { work: 'dhcp_failover', owner: 'killed', expires_at: Date.now() + 15_000 };
    await world.core.db.kysely.insertInto('workclaims').values(row).execute();
    let tries = 0;
    const { db } = world.core;
    const counting: Core['db'] = {
      ...db,
      transaction: (work) => {
        tries += 1;
        return db.transaction(work);
      },
    };
    failover({ ...world.core, db: counting });
    await expect.poll(() => tries, SOON).toBeGreaterThan(2);
    expect(await hosts(network)).toEqual(['dead']);
    expect(await claims()).toEqual([row]);
    await world.core.db.kysely.updateTable('workclaims').set({ expires_at: 0 }).execute();
    await expect.poll(() => hosts(network), SOON).toEqual(['h1']);
  });
});

describe('failover', () => {
  it.each([
    { allow_automatic_dhcp_failover: false },
    { network_auto_schedule: false },
    // Servers do not move anything before they have been up for this time.
    { agent_down_time: 600 },
  ])('is disabled by %o', async (options) => {
    const network = await world.served(await dead('dead'));
    await immortal('h1');
    const asked: string[] = [];
    const record = (by: string) => async () => {
      asked.push(by);
      return undefined;
    };
    const { core } = world;
    const config = { ...core.config, DEFAULT: { ...core.config.DEFAULT, ...options } };
    for (const one of [
      startFailover({ ...core, config, move: record('with it') }),
      startFailover({ ...core, move: record('without it') }),
    ])
      closing.push(() => one.close());
    await expect.poll(() => asked.length, SOON).toBeGreaterThan(1);
    expect(new Set(asked)).toEqual(new Set(['without it']));
    expect(await hosts(network)).toEqual(['dead']);
  });
});
