import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DHCP_AGENTS } from '../../../src/scheduler/agent-kinds.ts';
import { hostingAgents } from '../../../src/scheduler/bindings.ts';
import { willBeServed } from '../../../src/scheduler/serving.ts';
import { createServedWorld, type ServedWorld } from '../../endpoints/agents.ts';
import { ADMIN } from '../../support/core.ts';
import { servicesOf } from '../../support/services.ts';

let world: ServedWorld;
let agent: string;
let network: string;
const begin = async (serving: boolean) => {
  world = await createServedWorld({ DEFAULT: { enable_services_on_agents_with_admin_state_down: serving } });
  agent = await world.dhcpAgent('h1');
  network = await world.served(agent);
};
afterEach(() => world.close());

const agents = () => servicesOf(world.core, world.allocator).of('agent');
const disable = () => agents().update(ADMIN, agent, { admin_state_up: false });
const asked = async () => (await world.active({ host: 'h1' })).map((info) => info.id);
const add = (id: string) =>
  agents().act(ADMIN, 'add_dhcp_network', {
    id: agent,
    parameters: {},
    body: { network_id: id },
    revision: undefined,
  });
const told = async () =>
  (await hostingAgents(world.core.db.kysely, world.core.config, DHCP_AGENTS, [network])).get(network);

describe('a DHCP agent with admin_state_up false', () => {
  beforeEach(() => begin(false));

  it('serves no networks and is not notified of any, although they remain bound to it', async () => {
    await disable();
    expect(await asked()).toEqual([]);
    expect(await told()).toMatchObject([{ id: agent, enabled: false }]);
    expect(await willBeServed(world.core.db.kysely, world.core.config, DHCP_AGENTS, network)).toBe(false);
  });

  it('gets no networks, neither manually nor by the scheduler', async () => {
    await disable();
    const other = await world.network();
    await world.subnet(other, '10.1.0.0/24');
    await expect(add(other)).rejects.toMatchObject({ type: 'InvalidDHCPAgent' });
    expect(await asked()).toEqual([]);
  });

  it('does not prevent ports from becoming ACTIVE', async () => {
    await world.l2Agent('c1');
    const port = await world.port(network, { 'binding:host_id': 'c1' });
    await world.plugin.call('update_device_up', { device: port.id, agent_id: 'lb', host: 'c1' });
    expect((await world.portOf(port.id)).status).toBe('DOWN');
    await disable();
    expect((await world.portOf(port.id)).status).toBe('ACTIVE');
  });
});

describe('a DHCP agent with admin_state_up false, with enable_services_on_agents_with_admin_state_down', () => {
  beforeEach(() => begin(true));

  it('keeps serving its networks, and is notified of changes', async () => {
    await world.l2Agent('c1');
    const port = await world.port(network, { 'binding:host_id': 'c1' });
    await world.plugin.call('update_device_up', { device: port.id, agent_id: 'lb', host: 'c1' });
    await disable();
    expect(await asked()).toEqual([network]);
    expect(await told()).toMatchObject([{ id: agent, enabled: true }]);
    expect((await world.portOf(port.id)).status).toBe('DOWN');
  });

  it('gets networks manually, but not by the scheduler', async () => {
    await disable();
    const other = await world.network();
    await world.subnet(other, '10.1.0.0/24');
    expect(await asked()).toEqual([network]);
    await add(other);
    expect(await asked()).toEqual([network, other].sort());
  });
});
