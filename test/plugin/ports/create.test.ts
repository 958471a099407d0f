import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { PortDocument } from '../../../src/rpc/documents.ts';
import { servicesOf } from '../../support/services.ts';
import { ADMIN, createWorld, type World } from '../world.ts';

let world: World;
beforeEach(async () => {
  world = await createWorld();
});
afterEach(() => world.close());

const addresses = (port: object): string[] => (port as PortDocument).fixed_ips.map((ip) => ip.ip_address);
const portRows = () => world.core.db.kysely.selectFrom('ports').selectAll().execute();

describe('creating a port', () => {
  test('the typical request: MAC, one fixed IP, binding, DOWN, project, security groups', async () => {
    const network = await world.network();
    await world.subnet(network, '10.0.0.0/24');
    await world.l2Agent('compute1');
    const first = await world.port(network, { tenant_id: '43f66bb82e684bbe9eb9ef6892bd7fd6' });
    const port = await world.port(network, {
      'binding:host_id': 'compute1',
      admin_state_up: true,
      tenant_id: '43f66bb82e684bbe9eb9ef6892bd7fd6',
      device_owner: 'compute:nova',
      security_groups: first.security_groups,
      device_id: '8671c14e-9ee4-4338-bcc5-8a5f0ea6e1d5',
    });
    expect(port.mac_address).toMatch(/^fa:16:3e(:[0-9a-f]{2}){3}$/);
    expect(addresses(port)).toHaveLength(1);
    expect(addresses(port)[0]).toMatch(/^10\.0\.0\.\d+$/);
    expect(port).toMatchObject({
      status: 'DOWN',
      'binding:vif_type': 'bridge',
      'binding:host_id': 'compute1',
      project_id: '43f66bb82e684bbe9eb9ef6892bd7fd6',
      security_groups: first.security_groups,
    });
  });

  test('a create returns the same document as a show', async () => {
    const network = await world.network();
    await world.subnet(network, '10.0.0.0/24');
    await world.l2Agent('compute1');
    const port = await world.port(network, {
      name: 'p',
      description: 'd',
      'binding:host_id': 'compute1',
      'binding:profile': { a: [1] },
      allowed_address_pairs: [{ ip_address: '10.0.0.99' }],
      extra_dhcp_opts: [{ opt_name: 'mtu', opt_value: '1400' }],
      fixed_ips: [{ ip_address: '10.0.0.70' }, { ip_address: '10.0.0.7' }],
    });
    expect(await world.portOf(port.id)).toEqual({ ...port });
  });

  test('by default, it gets one IPv4 address, one stateful IPv6 address, and the automatic address of every SLAAC subnet', async () => {
    const network = await world.network();
    await world.subnet(network, '10.0.0.0/24');
    await world.subnet(network, '10.0.1.0/24');
    const modes = (mode: string) => ({ ip_version: 6, ipv6_ra_mode: mode, ipv6_address_mode: mode });
    await world.subnet(network, 'fd00:1::/64', modes('slaac'));
    await world.subnet(network, 'fd00:2::/64', modes('dhcpv6-stateless'));
    await world.subnet(network, 'fd00:3::/64', modes('dhcpv6-stateful'));
    const port = await world.port(network, { mac_address: '02:00:00:00:06:01' });
    const got = addresses(port);
    expect(got.filter((a) => a.startsWith('10.'))).toHaveLength(1);
    expect(got).toContain('fd00:1::ff:fe00:601');
    expect(got).toContain('fd00:2::ff:fe00:601');
    expect(got.filter((a) => a.startsWith('fd00:3::'))).toHaveLength(1);
    expect(got).toHaveLength(4);
  });

  test('a full subnet is skipped for the next one, and a full network is an error', async () => {
    const network = await world.network();
    await world.subnet(network, '10.0.0.0/30');
    await world.subnet(network, '10.0.1.0/30');
    expect(addresses(await world.port(network))).toEqual(['10.0.0.2']);
    expect(addresses(await world.port(network))).toEqual(['10.0.1.2']);
    await expect(world.port(network)).rejects.toMatchObject({ type: 'IpAddressGenerationFailure', status: 409 });
    expect(await portRows()).toHaveLength(2);
  });

  test('subnets with service types are only used for those device owners', async () => {
    const network = await world.network();
    await world.subnet(network, '10.0.0.0/24', { service_types: ['compute:nova'] });
    expect(addresses(await world.port(network, { device_owner: 'compute:nova' }))).toHaveLength(1);
    await expect(world.port(network, { device_owner: 'other' })).rejects.toMatchObject({
      type: 'IpAddressGenerationFailure',
    });
  });

  test('an address or MAC in use is rejected, and nothing is left behind', async () => {
    const network = await world.network();
    await world.subnet(network, '10.0.0.0/24');
    await world.port(network, { fixed_ips: [{ ip_address: '10.0.0.9' }], mac_address: '02:00:00:00:00:01' });
    await world.outbox();
    await expect(world.port(network, { fixed_ips: [{ ip_address: '10.0.0.9' }] })).rejects.toMatchObject({
      type: 'IpAddressAlreadyAllocated',
    });
    await expect(world.port(network, { mac_address: '02-00-00-00-00-01' })).rejects.toMatchObject({
      type: 'MacAddressInUse',
    });
    expect(await portRows()).toHaveLength(1);
    expect(await world.outbox()).toEqual([]);
  });

  test('a bulk create creates all or none', async () => {
    const network = await world.network();
    await world.subnet(network, '10.0.0.0/24');
    const items = [{ network_id: network }, { network_id: network, fixed_ips: [{ ip_address: '10.9.9.9' }] }];
    await expect(servicesOf(world.core, world.allocator).of('port').create(ADMIN, items)).rejects.toMatchObject({
      type: 'InvalidIpForNetwork',
    });
    expect(await portRows()).toEqual([]);
  });

  test('250 simultaneous creates in one network succeed with distinct addresses and MACs', async () => {
    const network = await world.network();
    await world.subnet(network, '10.0.0.0/24');
    const ports = await Promise.all(Array.from({ length: 250 }, () => world.port(network)));
    expect(new Set(ports.flatMap(addresses)).size).toBe(250);
    expect(new Set(ports.map((p) => p.mac_address)).size).toBe(250);
  });

  test('agents are notified in the same transaction, with the document that the caller receives', async () => {
    const network = await world.network();
    await world.subnet(network, '10.0.0.0/24');
    await world.outbox();
    const port = await world.port(network);
    expect(await world.outbox()).toEqual([
      expect.objectContaining({ method: 'port_create_end', ordering_key: network, payload: { port: { ...port } } }),
    ]);
  });

  test('ports of network devices have no port security and no security groups', async () => {
    const network = await world.network();
    await world.subnet(network, '10.0.0.0/24');
    expect(await world.port(network, { device_owner: 'network:dhcp' })).toMatchObject({
      port_security_enabled: false,
      security_groups: [],
    });
  });

  test('each project has one default security group, created with its first port', async () => {
    const network = await world.network();
    const groups = [];
    for (const project of ['a', 'a', 'b'])
      groups.push((await world.port(network, { project_id: project })).security_groups);
    expect(groups[0]).toEqual(groups[1]);
    expect(groups[0]).not.toEqual(groups[2]);
  });

  test('bound to a host without a live L2 agent, the binding has failed', async () => {
    const network = await world.network();
    const agent = await world.l2Agent('compute1');
    await world.kill(agent);
    expect(await world.port(network, { 'binding:host_id': 'compute1' })).toMatchObject({
      'binding:vif_type': 'binding_failed',
    });
  });
});
