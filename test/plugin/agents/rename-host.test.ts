import { afterEach, beforeEach, expect, it } from 'vitest';
import { dhcpDeviceId, RESERVED_DHCP_PORT } from '../../../src/net/dhcp-device-id.ts';
import { HostNameTaken, renameHost } from '../../../src/plugin/agents/rename-host.ts';
import { DHCP_AGENTS } from '../../../src/scheduler/agent-kinds.ts';
import { bind, hostingAgents } from '../../../src/scheduler/bindings.ts';
import { createWorld, type World } from '../world.ts';

let world: World;
beforeEach(async () => {
  world = await createWorld();
});
afterEach(() => world.close());

const rename = () => renameHost(world.core, 'old', 'new');
const agents = () =>
  world.core.db.kysely.selectFrom('agents').select(['id', 'host', 'agent_type']).orderBy('agent_type').execute();
const serving = async (network: string) =>
  (await hostingAgents(world.core.db.kysely, world.core.config, DHCP_AGENTS, [network])).get(network);
const dhcpPort = (network: string, host: string) =>
  world.port(network, {
    device_owner: 'network:dhcp',
    device_id: dhcpDeviceId(host, network),
    'binding:host_id': host,
  });

it('a renamed host keeps its agents, their networks, its bound ports and its DHCP ports', async () => {
  const l2 = await world.l2Agent('old');
  const dhcp = await world.dhcpAgent('old');
  const other = await world.l2Agent('third');
  const network = await world.network();
  await world.subnet(network, '10.0.0.0/24');
  await world.transaction((trx) => bind(trx, DHCP_AGENTS, network, dhcp));
  const own = await dhcpPort(network, 'old');
  const machine = await world.port(network, { 'binding:host_id': 'old', device_owner: 'compute:nova' });
  const elsewhere = await world.port(network, { 'binding:host_id': 'third', device_owner: 'compute:nova' });

  expect(await rename()).toEqual({ agents: 2, ports: 2 });
  expect(new Map((await agents()).map(({ id, host }) => [id, host]))).toEqual(
    new Map([
      [l2, 'new'],
      [dhcp, 'new'],
      [other, 'third'],
    ]),
  );
  expect(await serving(network)).toMatchObject([{ id: dhcp, host: 'new' }]);
  const moved = await world.portOf(machine.id);
  expect(moved).toMatchObject({
    'binding:host_id': 'new',
    'binding:vif_type': 'bridge',
    fixed_ips: machine.fixed_ips,
    revision_number: Number(machine.revision_number) + 1,
  });
  expect(await world.portOf(own.id)).toMatchObject({
    device_id: dhcpDeviceId('new', network),
    'binding:host_id': 'new',
  });
  expect(await world.portOf(elsewhere.id)).toEqual(elsewhere);

  expect(await rename()).toEqual({ agents: 0, ports: 0 });
  expect(await world.portOf(machine.id)).toEqual(moved);
});

it('the renamed agent takes over the resources of a dead agent with the new name', async () => {
  const dhcp = await world.dhcpAgent('old');
  const namesake = await world.dhcpAgent('new');
  await world.kill(namesake);
  const [mine, both, its] = [await world.network(), await world.network(), await world.network()];
  await world.transaction(async (trx) => {
    for (const network of [mine, both]) await bind(trx, DHCP_AGENTS, network, dhcp);
    for (const network of [both, its]) await bind(trx, DHCP_AGENTS, network, namesake);
  });
  const kept = await dhcpPort(both, 'old');
  const reserved = await dhcpPort(both, 'new');
  await rename();
  expect(await agents()).toEqual([{ id: dhcp, host: 'new', agent_type: 'DHCP agent' }]);
  for (const network of [mine, both, its]) expect(await serving(network)).toMatchObject([{ id: dhcp, host: 'new' }]);
  expect(await world.portOf(kept.id)).toMatchObject({ device_id: dhcpDeviceId('new', both) });
  expect(await world.portOf(reserved.id)).toMatchObject({ device_id: RESERVED_DHCP_PORT });
});

it('a host cannot get a name with a live agent', async () => {
  await world.dhcpAgent('old');
  await world.l2Agent('new');
  const before = await agents();
  await expect(rename()).rejects.toThrow(HostNameTaken);
  await expect(rename()).rejects.toThrow(/host new has a Linux bridge agent that is alive/);
  expect(await agents()).toEqual(before);
});
