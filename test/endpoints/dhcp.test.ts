import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dhcpDeviceId, RESERVED_DHCP_PORT } from '../../src/net/dhcp-device-id.ts';
import type { Document } from '../../src/plugin/module.ts';
import { DHCP_AGENTS } from '../../src/scheduler/agent-kinds.ts';
import { bind, unbind } from '../../src/scheduler/bindings.ts';
import { createServedWorld, type ServedWorld } from './agents.ts';

/** Calls as a stock agent made them, and what Neutron answered. */
const captured = (method: string) =>
  JSON.parse(readFileSync(new URL(`../fixtures/agent-calls/${method}.json`, import.meta.url), 'utf8'));
// Neutron's own row number, and what it says of subnets a second time; agents read neither.
const INTERNAL = new Set(['standard_attr_id', 'shared']);
const keys = (document: object) =>
  Object.keys(document)
    .filter((key) => !INTERNAL.has(key))
    .sort();
/** Of a captured port: the stock server ran without the extension uplink_status_propagation. */
const portKeys = (document: object) => [...keys(document), 'propagate_uplink_status'].sort();

let world: ServedWorld;
let agent: string;
beforeEach(async () => {
  world = await createServedWorld();
  agent = await world.dhcpAgent('h1');
});
afterEach(() => world.close());

const ownPort = (network: string, subnets: readonly string[] = [], host = 'h1') => ({
  port: {
    port: {
      name: '',
      admin_state_up: true,
      device_id: dhcpDeviceId(host, network),
      network_id: network,
      project_id: 'p1',
      fixed_ips: subnets.map((subnet_id) => ({ subnet_id })),
    },
  },
  host,
});
const subnetsOf = async (network: string) =>
  (await world.core.db.kysely.selectFrom('subnets').select('id').where('network_id', '=', network).execute()).map(
    (row) => row.id,
  );
const portsOf = (network: string) =>
  world.core.db.kysely.selectFrom('ports').select(['id', 'device_id']).where('network_id', '=', network).execute();

describe('get_network_info', () => {
  it('has the structure of a captured response', async () => {
    const reference = captured('get_network_info').result;
    const network = await world.served(agent);
    await world.l2Agent('h1');
    const port = await world.port(network, {
      'binding:host_id': 'h1',
      device_owner: 'compute:nova',
      device_id: 'vm1',
      extra_dhcp_opts: [{ opt_name: 'mtu', opt_value: '1400' }],
    });
    const info = await world.plugin.call('get_network_info', { network_id: network, host: 'h1' });
    if (!info) throw new Error('no answer');
    // Beside what Neutron sends: the name, for the logs of agents.
    expect(keys(info)).toEqual([...keys(reference), 'name'].sort());
    expect(info).toHaveProperty('name', 'n');
    expect(info).toMatchObject({
      id: network,
      admin_state_up: true,
      mtu: 1450,
      tenant_id: 'p1',
      non_local_subnets: [],
    });
    expect(keys(info.subnets[0] ?? {})).toEqual(keys(reference.subnets[0]));
    expect(keys(info.ports[0] ?? {})).toEqual(portKeys(reference.ports[1]));
    expect(info.ports[0]).toEqual(await world.portOf(port.id));
    const [segment] = (info as unknown as { segments: object[] }).segments;
    expect(segment).toEqual({
      ...reference.segments[0],
      id: expect.any(String),
      network_id: network,
      segmentation_id: expect.any(Number),
    });
  });

  it('returns all subnets, in the order of their ids, with DHCP or without', async () => {
    const network = await world.served(agent);
    const without = await world.subnet(network, '10.9.0.0/24', { enable_dhcp: false });
    const info = await world.plugin.call('get_network_info', { network_id: network, host: 'h1' });
    const ids = (info?.subnets ?? []).map((subnet) => subnet.id);
    expect(ids).toContain(without);
    expect(ids).toEqual([...ids].sort());
  });

  it('is null for a network that does not exist', async () => {
    expect(await world.plugin.call('get_network_info', { network_id: world.nobody, host: 'h1' })).toBeNull();
  });
});

describe('get_active_networks_info', () => {
  const active = async (host = 'h1', filter?: boolean) => {
    return world.active(filter === undefined ? { host } : { host, enable_dhcp_filter: filter });
  };
  const ids = async (host = 'h1') => (await active(host)).map((info) => info.id);

  it('returns the networks of the host that are up, each with its subnets and ports', async () => {
    const [network, down] = [await world.served(agent), await world.served(agent, '10.1.0.0/24')];
    await world.updateNetwork(down, { admin_state_up: false });
    const port = await world.port(network);
    const [info, ...others] = await active();
    expect(others).toEqual([]);
    expect(info).toEqual(await world.plugin.call('get_network_info', { network_id: network, host: 'h1' }));
    expect(info?.ports.map((p) => p.id)).toEqual([port.id]);
  });

  it('binds networks without an agent to the requesting one, and to no other', async () => {
    const network = await world.network();
    await world.subnet(network, '10.0.0.0/24');
    const bare = await world.network();
    expect(await ids()).toEqual([network]);
    await world.dhcpAgent('h2');
    expect(await ids('h2')).toEqual([]);
    expect(await ids()).not.toContain(bare);
  });

  it('binds nothing without network_auto_schedule', async () => {
    await world.close();
    world = await createServedWorld({ DEFAULT: { network_auto_schedule: false } });
    await world.dhcpAgent('h1');
    await world.subnet(await world.network(), '10.0.0.0/24');
    expect(await ids()).toEqual([]);
  });

  it('returns nothing to a disabled or unknown agent', async () => {
    await world.served(agent);
    await world.core.db.kysely.updateTable('agents').set({ admin_state_up: 0 }).where('id', '=', agent).execute();
    expect(await ids()).toEqual([]);
    expect(await ids('h9')).toEqual([]);
  });

  it('returns pages with a limited number of networks and ports on request', async () => {
    const networks: string[] = [];
    for (let n = 0; n < 5; n += 1) networks.push(await world.served(agent, `10.${n}.0.0/24`));
    networks.sort();
    // 1 + 0, 1 + 3, 1 + 0, 1 + 0, 1 + 0 networks and ports.
    for (let n = 0; n < 3; n += 1) await world.port(networks[1] ?? '');
    const pages = async (limit: number) => {
      const found: string[][] = [];
      let marker: string | undefined;
      do {
        const args = { host: 'h1', limit, ...(marker === undefined ? {} : { marker }) };
        const page = await world.plugin.call('get_active_networks_info', args);
        if (!('next_marker' in page)) throw new Error('it is no page');
        found.push(page.networks.map((info) => info.id));
        marker = page.next_marker ?? undefined;
      } while (marker !== undefined);
      expect(found.flat()).toEqual(networks);
      return found.map((ids) => ids.length);
    };
    expect(await pages(1)).toEqual([1, 1, 1, 1, 1]);
    expect(await pages(2)).toEqual([1, 1, 2, 1]);
    expect(await pages(5)).toEqual([2, 3]);
    expect(await pages(8)).toEqual([5]);
    expect(await pages(9)).toEqual([5]);
  });

  it('returns one empty page to an agent that hosts nothing', async () => {
    const page = await world.plugin.call('get_active_networks_info', { host: 'h9', limit: 10 });
    expect(page).toEqual({ networks: [], next_marker: null });
  });

  it('binds networks without an agent only with the first page', async () => {
    const network = await world.network();
    await world.subnet(network, '10.0.0.0/24');
    const ask = (marker?: string) =>
      world.plugin.call('get_active_networks_info', { host: 'h1', limit: 10, ...(marker ? { marker } : {}) });
    expect(await ask('0')).toMatchObject({ networks: [] });
    expect(await ask()).toMatchObject({ networks: [{ id: network }] });
  });

  it('omits subnets without DHCP by default', async () => {
    const network = await world.served(agent);
    await world.subnet(network, '10.9.0.0/24', { enable_dhcp: false });
    const count = async (filter?: boolean) => (await active('h1', filter))[0]?.subnets.length;
    expect([await count(), await count(true), await count(false)]).toEqual([1, 1, 2]);
  });
});

describe('create_dhcp_port', () => {
  it('creates a port as captured: of network:dhcp, bound to the host, without port security', async () => {
    const reference = captured('create_dhcp_port');
    await world.l2Agent('h1');
    const network = await world.served(agent);
    const subnets = await subnetsOf(network);
    const port = await world.plugin.call('create_dhcp_port', ownPort(network, subnets));
    expect(keys(port ?? {})).toEqual(portKeys(reference.result));
    expect(port).toMatchObject({
      network_id: network,
      device_owner: 'network:dhcp',
      device_id: dhcpDeviceId('h1', network),
      'binding:host_id': 'h1',
      'binding:vif_type': 'bridge',
      port_security_enabled: false,
      security_groups: [],
      status: 'DOWN',
      fixed_ips: [{ subnet_id: subnets[0], ip_address: expect.stringMatching(/^10\.0\.0\./) }],
    });
  });

  it('creates no second port when it is called again, or twice simultaneously', async () => {
    const network = await world.served(agent);
    const args = ownPort(network, await subnetsOf(network));
    const made = await Promise.all([1, 2, 3].map(() => world.plugin.call('create_dhcp_port', args)));
    expect(new Set(made.map((port) => port?.id)).size).toBe(1);
    expect(await portsOf(network)).toHaveLength(1);
  });

  it('returns null if the network, a subnet, or the binding of the network is gone', async () => {
    const network = await world.served(agent);
    expect(await world.plugin.call('create_dhcp_port', ownPort(world.nobody))).toBeNull();
    expect(await world.plugin.call('create_dhcp_port', ownPort(network, [world.nobody]))).toBeNull();
    await world.transaction((trx) => unbind(trx, DHCP_AGENTS, network, agent));
    expect(await world.plugin.call('create_dhcp_port', ownPort(network))).toBeNull();
    expect(await portsOf(network)).toEqual([]);
  });

  it('fails with the name of the network if no address is free', async () => {
    const network = await world.network();
    await world.subnet(network, '10.0.0.0/30', { allocation_pools: [{ start: '10.0.0.2', end: '10.0.0.2' }] });
    await world.transaction((trx) => bind(trx, DHCP_AGENTS, network, agent));
    await world.port(network);
    await expect(
      world.plugin.call('create_dhcp_port', ownPort(network, await subnetsOf(network))),
    ).rejects.toMatchObject({ remoteClass: 'IpAddressGenerationFailure' });
  });
});

describe('update_dhcp_port', () => {
  const begin = async () => {
    const network = await world.served(agent);
    const [subnet = ''] = await subnetsOf(network);
    const port = await world.plugin.call('create_dhcp_port', ownPort(network, [subnet]));
    if (!port) throw new Error('no port was made');
    return { network, subnet, port };
  };
  const update = (port_id: string, body: Document, host = 'h1') =>
    world.plugin.call('update_dhcp_port', { port_id, port: { port: body }, host });

  it('keeps the address of the port and adds one of another subnet', async () => {
    const { network, subnet, port } = await begin();
    const other = await world.subnet(network, '10.9.0.0/24');
    const changed = await update(port.id, {
      network_id: network,
      fixed_ips: [...port.fixed_ips, { subnet_id: other }],
    });
    const ips = new Map(changed?.fixed_ips.map((ip) => [ip.subnet_id, ip.ip_address]));
    expect(ips.get(subnet)).toBe(port.fixed_ips[0]?.ip_address);
    expect(ips.get(other)).toMatch(/^10\.9\.0\./);
  });

  it('assigns a reserved port, which keeps its address, to the agent', async () => {
    const { network, port } = await begin();
    await world.updatePort(port.id, { device_id: RESERVED_DHCP_PORT });
    const second = await world.dhcpAgent('h2');
    await world.transaction((trx) => bind(trx, DHCP_AGENTS, network, second));
    const device_id = dhcpDeviceId('h2', network);
    const taken = await update(port.id, { network_id: network, device_id }, 'h2');
    expect(taken).toMatchObject({ device_id, 'binding:host_id': 'h2', fixed_ips: port.fixed_ips });
    expect(await update(port.id, { network_id: network, device_id: dhcpDeviceId('h1', network) })).toBeNull();
  });

  it("is null for a port that is gone, another agent's, a machine's, or of a network that the agent lost", async () => {
    const { network, port } = await begin();
    const machine = await world.port(network, { device_owner: 'compute:nova', device_id: RESERVED_DHCP_PORT });
    await world.dhcpAgent('h2');
    expect(await update(world.nobody, { network_id: network })).toBeNull();
    expect(await update(port.id, { network_id: network }, 'h2')).toBeNull();
    expect(await update(machine.id, { network_id: network })).toBeNull();
    expect(await update(port.id, { network_id: world.nobody })).toBeNull();
    await world.transaction((trx) => unbind(trx, DHCP_AGENTS, network, agent));
    expect(await update(port.id, { network_id: network, fixed_ips: [] })).toBeNull();
    expect((await world.portOf(port.id)).fixed_ips).toEqual(port.fixed_ips);
  });
});

describe('release_dhcp_port', () => {
  it('deletes only the port of the agent, and does nothing if there is none', async () => {
    const network = await world.served(agent);
    const device_id = dhcpDeviceId('h1', network);
    await world.plugin.call('create_dhcp_port', ownPort(network));
    const machine = await world.port(network, { device_id });
    for (let times = 0; times < 2; times += 1)
      expect(await world.plugin.call('release_dhcp_port', { network_id: network, device_id, host: 'h1' })).toBeNull();
    expect((await portsOf(network)).map((port) => port.id)).toEqual([machine.id]);
  });
});

describe('get_dhcp_port', () => {
  it('returns the port, and fails with PortNotFound if there is none', async () => {
    const port = await world.port(await world.served(agent));
    expect(await world.plugin.call('get_dhcp_port', { port_id: port.id, host: 'h1' })).toEqual(
      await world.portOf(port.id),
    );
    await expect(world.plugin.call('get_dhcp_port', { port_id: world.nobody, host: 'h1' })).rejects.toMatchObject({
      remoteClass: 'PortNotFound',
      remoteMessage: `Port ${world.nobody} could not be found.`,
    });
  });
});

describe('get_ports', () => {
  const ports = async (port_filters: Document) =>
    (await world.plugin.call('get_ports', { port_filters, host: 'h1' })).map((port) => port.id).sort();

  it('filters as the API does', async () => {
    const network = await world.served(agent);
    const [subnet = ''] = await subnetsOf(network);
    const [one, two] = [await world.port(network), await world.port(network, { admin_state_up: false })];
    await world.port(await world.network());
    expect(await ports({ network_id: [network] })).toEqual([one.id, two.id].sort());
    expect(await ports({ id: one.id })).toEqual([one.id]);
    expect(await ports({ network_id: [network], admin_state_up: [false] })).toEqual([two.id]);
    expect(await ports({ fixed_ips: { subnet_id: [subnet] } })).toEqual([one.id, two.id].sort());
  });

  it('takes the filters of metadata agents under their name', async () => {
    const network = await world.served(agent);
    const port = await world.port(network, { mac_address: 'fa:16:3e:12:34:56', device_id: 'vm-1' });
    await world.port(network);
    const found = (filters: Document) => world.ask('get_ports', { filters });
    for (const filters of [
      { fixed_ips: { ip_address: (port.fixed_ips as { ip_address: string }[]).map((ip) => ip.ip_address) } },
      { mac_address: ['fa:16:3e:12:34:56'] },
    ])
      expect(await found({ ...filters, network_id: [network] })).toMatchObject([{ id: port.id, device_id: 'vm-1' }]);
    expect(await found({ mac_address: ['fa:16:3e:12:34:56'], network_id: [world.nobody] })).toEqual([]);
    expect(await found({ device_id: ['vm-1'], device_owner: ['network:router_interface'] })).toEqual([]);
  });

  it('rejects names that are not filters', async () => {
    await expect(ports({ nonsense: ['x'] })).rejects.toThrow(/cannot be filtered by nonsense/);
    await expect(ports({ id: [{}] })).rejects.toThrow(/filter id/);
  });
});

describe('malformed arguments', () => {
  it.each([
    ['get_active_networks_info', {}, /host/],
    ['get_active_networks_info', { host: 'h1', enable_dhcp_filter: 'yes' }, /enable_dhcp_filter/],
    ['get_active_networks_info', { host: 'h1', limit: 0 }, /limit.*from 1 to 10000/],
    ['get_active_networks_info', { host: 'h1', limit: 'all' }, /limit/],
    ['get_active_networks_info', { host: 'h1', limit: 5, marker: {} }, /marker/],
    ['get_network_info', { host: 'h1', network_id: 5 }, /network_id/],
    ['get_network_info', { host: 'a\nb', network_id: 'n' }, /host/],
    ['get_dhcp_port', { host: 'h1', port_id: null }, /port_id/],
    ['create_dhcp_port', { host: 'h1', port: 'x' }, /port/],
    ['create_dhcp_port', { host: 'h1', port: { port: {} } }, /network_id/],
    ['create_dhcp_port', { host: 'h1', port: { port: { network_id: 'n' } } }, /device_id/],
    ['update_dhcp_port', { host: 'h1', port_id: 'p', port: { port: [] } }, /port/],
    ['release_dhcp_port', { host: 'h1', network_id: 'n', device_id: [] }, /device_id/],
    ['dhcp_ready_on_ports', { port_ids: 'x' }, /port_ids/],
    ['dhcp_ready_on_ports', { port_ids: [1] }, /port_ids/],
    ['dhcp_ready_on_ports', { port_ids: Array(1_001).fill('p') }, /1000/],
    ['get_ports', { host: 'h1', port_filters: [] }, /port_filters/],
    ['get_ports', {}, /port_filters/],
    ['get_ports', { filters: null }, /filters/],
    ['get_devices_details_list', { host: 'h1', devices: 'tap' }, /devices/],
    ['update_device_up', { host: 'h1' }, /device/],
    ['update_device_down', { device: 'tap', host: 7 }, /host/],
  ])('%s with %j fails, naming the argument', async (method, args, message) => {
    const before = await world.core.db.kysely.selectFrom('ports').selectAll().execute();
    await expect(world.ask(method, args)).rejects.toMatchObject({
      remoteClass: 'InvalidInput',
      remoteMessage: expect.stringMatching(message),
    });
    expect(await world.core.db.kysely.selectFrom('ports').selectAll().execute()).toEqual(before);
  });

  it('unknown attributes, and those that a DHCP port must not change, are rejected', async () => {
    const network = await world.served(agent);
    const args = ownPort(network);
    const wrong = { ...args, port: { port: { ...args.port.port, nonsense: 1 } } };
    await expect(world.plugin.call('create_dhcp_port', wrong)).rejects.toThrow(/nonsense/);
    const port = await world.plugin.call('create_dhcp_port', args);
    const change = { port_id: String(port?.id), port: { port: { status: 'ACTIVE' } }, host: 'h1' };
    await expect(world.plugin.call('update_dhcp_port', change)).rejects.toThrow(/status/);
  });
});
