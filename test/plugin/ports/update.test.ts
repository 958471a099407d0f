import { StatementSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { PortDocument } from '../../../src/rpc/documents.ts';
import { createWorld, type World } from '../world.ts';

let world: World;
let network: string;
beforeEach(async () => {
  world = await createWorld();
  network = await world.network();
  await world.subnet(network, '10.0.0.0/24');
});
afterEach(() => world.close());

const addresses = (port: object): string[] => (port as PortDocument).fixed_ips.map((ip) => ip.ip_address);
const told = async () => (await world.outbox()).map((e) => e.method);

describe('updating a port', () => {
  test('unchanged addresses are kept, the others are released and allocated', async () => {
    const port = await world.port(network, { fixed_ips: [{ ip_address: '10.0.0.10' }, { ip_address: '10.0.0.11' }] });
    const changed = await world.updatePort(port.id, {
      fixed_ips: [{ ip_address: '10.0.0.11' }, { ip_address: '10.0.0.12' }],
    });
    expect(addresses(changed).sort()).toEqual(['10.0.0.11', '10.0.0.12']);
    expect(addresses(await world.port(network, { fixed_ips: [{ ip_address: '10.0.0.10' }] }))).toEqual(['10.0.0.10']);
  });

  test('an entry with only a subnet keeps the existing address', async () => {
    const port = await world.port(network);
    const [{ subnet_id } = { subnet_id: '' }] = (port as unknown as PortDocument).fixed_ips;
    expect(addresses(await world.updatePort(port.id, { fixed_ips: [{ subnet_id }] }))).toEqual(addresses(port));
  });

  test('automatic addresses come without a request and stay without one; they cannot be chosen', async () => {
    const modes = { ip_version: 6, ipv6_ra_mode: 'slaac', ipv6_address_mode: 'slaac' };
    await world.subnet(network, 'fd00:1::/64', modes);
    const mac = (nth: number) => `02:00:00:00:00:0${nth}`;
    const automatic = (nth: number, prefix = 'fd00:1') => `${prefix}::ff:fe00:${nth}`;
    const port = await world.port(network, { mac_address: mac(1), fixed_ips: [{ ip_address: '10.0.0.10' }] });
    expect(addresses(port).sort()).toEqual(['10.0.0.10', automatic(1)]);
    await world.subnet(network, 'fd00:2::/64', modes);
    for (const fixed_ips of [[{ ip_address: '10.0.0.11' }], []])
      expect(addresses(await world.updatePort(port.id, { fixed_ips })).sort()).toEqual([
        ...fixed_ips.map((ip) => ip.ip_address),
        automatic(1),
        automatic(1, 'fd00:2'),
      ]);
    expect(addresses(await world.port(network, { mac_address: mac(2), fixed_ips: [] }))).toHaveLength(2);
    const chosen = { mac_address: mac(3), fixed_ips: [{ ip_address: automatic(3) }] };
    await expect(world.port(network, chosen)).rejects.toMatchObject({ type: 'AllocationOnAutoAddressSubnet' });
  });

  test('a subnet for other services is none of the subnets to request', async () => {
    const subnet = await world.subnet(network, '10.1.0.0/24', { service_types: ['compute:nova'] });
    const requests = [{ subnet_id: subnet }, { ip_address: '10.1.0.9' }];
    const types = ['InvalidInput', 'InvalidIpForNetwork'];
    for (const [nth, wanted] of requests.entries()) {
      await expect(world.port(network, { fixed_ips: [wanted] })).rejects.toMatchObject({ type: types[nth] });
      await world.port(network, { device_owner: 'compute:nova', fixed_ips: [wanted] });
    }
  });

  test('reads every part of the port once', async ({ skip }) => {
    if (world.core.db.dialect !== 'sqlite') skip('statements are counted on SQLite, whose driver is in this process');
    const port = await world.port(network);
    const all = vi.spyOn(StatementSync.prototype, 'all');
    try {
      await world.updatePort(port.id, { name: 'renamed' });
      const reads = all.mock.contexts.map((statement) => (statement as StatementSync).sourceSQL);
      const of = (table: string) => reads.filter((text) => new RegExp(`from "?${table}"?\\b`).test(text));
      for (const table of ['ipallocations', 'securitygroupportbindings', 'extradhcpopts', 'tags', 'trunks'])
        expect(of(table), table).toHaveLength(1);
      // Its row twice (the first locks it), network, addresses, groups, address pairs, DHCP options, tags, QoS policy of the network, trunk.
      expect(reads.length).toBeLessThanOrEqual(10);
    } finally {
      all.mockRestore();
    }
  });

  test('writes only the tables whose attributes change', async ({ skip }) => {
    if (world.core.db.dialect !== 'sqlite') skip('statements are counted on SQLite, whose driver is in this process');
    const port = await world.port(network);
    const run = vi.spyOn(StatementSync.prototype, 'run');
    try {
      await world.updatePort(port.id, { description: 'new' });
      const writes = run.mock.contexts.map((statement) => (statement as StatementSync).sourceSQL);
      expect(writes.filter((text) => /^update "?ports"?\b/.test(text))).toEqual([]);
      expect(writes.filter((text) => /^update "?standardattributes"?\b/.test(text))).toHaveLength(2);
    } finally {
      run.mockRestore();
    }
  });

  test('returns what is stored afterwards, whatever changes', async () => {
    await world.l2Agent('h1');
    const port = await world.port(network, { extra_dhcp_opts: [{ opt_name: 'z', opt_value: '1' }] });
    for (const changes of [
      { name: 'n', description: 'd', admin_state_up: false, device_id: 'x', device_owner: 'compute:nova' },
      { mac_address: 'fa:16:3e:00:00:07' },
      { fixed_ips: [{ ip_address: '10.0.0.44' }, { ip_address: '10.0.0.5' }] },
      {
        extra_dhcp_opts: [
          { opt_name: 'b', opt_value: '1' },
          { opt_name: 'a', opt_value: '2', ip_version: 6 },
        ],
      },
      { allowed_address_pairs: [{ ip_address: '10.9.0.2' }, { ip_address: '10.10.0.1' }] },
      { 'binding:host_id': 'h1', 'binding:profile': { a: 1 }, 'binding:vnic_type': 'normal' },
      { security_groups: [], allowed_address_pairs: [], port_security_enabled: false },
      {},
    ]) {
      const answer = await world.updatePort(port.id, changes);
      expect(answer, JSON.stringify(changes)).toEqual(await world.portOf(port.id));
    }
  });

  test('a rejected update changes nothing', async () => {
    const other = await world.port(network, { fixed_ips: [{ ip_address: '10.0.0.20' }] });
    const port = await world.port(network);
    await world.outbox();
    await expect(
      world.updatePort(port.id, { name: 'new', fixed_ips: [{ ip_address: '10.0.0.20' }] }),
    ).rejects.toMatchObject({ type: 'IpAddressAlreadyAllocated' });
    expect(await world.portOf(port.id)).toEqual({ ...port });
    expect(await world.portOf(other.id)).toEqual({ ...other });
    expect(await told()).toEqual([]);
  });

  test('DHCP agents are notified of changes that affect DHCP, and not of a new name', async () => {
    // Without groups, whose L2 agents are notified of new addresses as well.
    const port = await world.port(network, { fixed_ips: [{ ip_address: '10.0.0.10' }], security_groups: [] });
    await world.outbox();
    await world.updatePort(port.id, { name: 'renamed', description: 'x' });
    expect(await told()).toEqual([]);
    for (const change of [
      { fixed_ips: [{ ip_address: '10.0.0.33' }] },
      { mac_address: '02:00:00:00:00:09' },
      { extra_dhcp_opts: [{ opt_name: 'mtu', opt_value: '1400' }] },
      { admin_state_up: false },
    ]) {
      await world.updatePort(port.id, change);
      expect(await told()).toEqual(['port_update_end']);
    }
  });

  test('the MAC of a bound port cannot change', async () => {
    await world.l2Agent('compute1');
    const port = await world.port(network, { 'binding:host_id': 'compute1' });
    await expect(world.updatePort(port.id, { mac_address: '02:00:00:00:00:09' })).rejects.toMatchObject({
      type: 'PortBound',
      status: 409,
    });
  });

  test('a rebound port is DOWN again until its new host, whose L2 agent is notified, has wired it', async () => {
    await world.l2Agent('compute1');
    await world.l2Agent('compute2');
    const port = await world.port(network, { 'binding:host_id': 'compute1' });
    await world.core.db.kysely.updateTable('ports').set({ status: 'ACTIVE' }).where('id', '=', port.id).execute();
    await world.outbox();
    const moved = await world.updatePort(port.id, { 'binding:host_id': 'compute2' });
    expect(moved).toMatchObject({ status: 'DOWN', 'binding:host_id': 'compute2', 'binding:vif_type': 'bridge' });
    expect(await told()).toContain('port_update');
    expect(await world.updatePort(port.id, { 'binding:host_id': '' })).toMatchObject({ 'binding:vif_type': 'unbound' });
  });

  test('DHCP options are set and removed one by one; the others remain', async () => {
    const port = await world.port(network, {
      extra_dhcp_opts: [
        { opt_name: 'mtu', opt_value: '1400' },
        { opt_name: 'bootfile-name', opt_value: 'a' },
      ],
    });
    const changed = await world.updatePort(port.id, {
      extra_dhcp_opts: [
        { opt_name: 'mtu', opt_value: null },
        { opt_name: 'ntp-server', opt_value: '10.0.0.5' },
      ],
    });
    expect((changed as unknown as PortDocument).extra_dhcp_opts?.map((o) => o.opt_name).sort()).toEqual([
      'bootfile-name',
      'ntp-server',
    ]);
  });

  test('port security can only be disabled without security groups', async () => {
    const port = await world.port(network);
    await expect(world.updatePort(port.id, { port_security_enabled: false })).rejects.toMatchObject({
      type: 'PortSecurityPortHasSecurityGroup',
    });
    expect(await world.updatePort(port.id, { port_security_enabled: false, security_groups: [] })).toMatchObject({
      port_security_enabled: false,
      security_groups: [],
    });
  });
});

describe('deleting a port', () => {
  test('releases its addresses and MAC, and notifies agents once', async () => {
    const port = await world.port(network, {
      mac_address: '02:00:00:00:00:01',
      fixed_ips: [{ ip_address: '10.0.0.5' }],
    });
    await world.outbox();
    await world.deletePort(port.id);
    expect(await world.outbox()).toEqual([
      expect.objectContaining({
        method: 'port_delete_end',
        payload: expect.objectContaining({ port_id: port.id, network_id: network }),
      }),
      expect.objectContaining({
        method: 'security_groups_member_updated',
        payload: { security_groups: port.security_groups },
      }),
    ]);
    await expect(world.deletePort(port.id)).rejects.toMatchObject({ type: 'PortNotFound' });
    for (const table of [
      'standardattributes',
      'ipallocations',
      'ml2_port_bindings',
      'portsecuritybindings',
      'securitygroupportbindings',
    ] as const) {
      const rows = await world.core.db.kysely.selectFrom(table).selectAll().execute();
      expect(JSON.stringify(rows)).not.toContain(port.id);
    }
    expect(
      await world.port(network, { mac_address: '02:00:00:00:00:01', fixed_ips: [{ ip_address: '10.0.0.5' }] }),
    ).toBeTruthy();
  });
});
