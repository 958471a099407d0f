import { describe, expect, test } from 'vitest';
import { dhcpDeviceId } from '../../../src/net/dhcp-device-id.ts';
import { disagreements } from './compare.ts';
import type { ApiPort, DatabaseFacts, Facts, HostFacts } from './facts.ts';

const NET = '11111111-1111-4111-8111-111111111111';
const SUBNET = '22222222-2222-4222-8222-222222222222';
const PORT = '33333333-3333-4333-8333-333333333333';
const OWN = '44444444-4444-4444-8444-444444444444';
const HOST = 'host1';
const SPACE = 4026;

const port = (id: string, ip: string, more: Partial<ApiPort>): ApiPort => ({
  id,
  name: '',
  description: '',
  revision_number: 1,
  network_id: NET,
  mac_address: `fa:16:3e:00:00:${ip.split('.')[3]}`,
  admin_state_up: true,
  status: 'DOWN',
  device_id: '',
  device_owner: '',
  'binding:host_id': '',
  fixed_ips: [{ subnet_id: SUBNET, ip_address: ip }],
  dns_assignment: [{ ip_address: ip, hostname: `host-${ip.split('.')[3]}`, fqdn: `host-${ip.split('.')[3]}.example.` }],
  extra_dhcp_opts: [],
  ...more,
});

const PORTS = [
  port(PORT, '10.0.0.10', {}),
  port(OWN, '10.0.0.11', { device_id: dhcpDeviceId(HOST, NET), device_owner: 'network:dhcp', 'binding:host_id': HOST }),
];

/** A network with a subnet, a port, and the port of its agent: all sources agree. */
function agreed(): Facts {
  const attributes = (id: number) => ({
    id,
    resource_type: '',
    description: '',
    revision_number: 1,
    created_at: '',
    updated_at: '',
  });
  const owned = (id: string, standard_attr_id: number) => ({ id, project_id: 'p', name: '', standard_attr_id });
  const database: DatabaseFacts = {
    standardattributes: [1, 2, 3, 4, 5, 6].map(attributes),
    networks: [{ ...owned(NET, 1), status: 'ACTIVE', admin_state_up: 1, mtu: 1450, availability_zone_hints: '[]' }],
    networksegments: [
      {
        ...owned('segment', 2),
        network_id: NET,
        network_type: 'vxlan',
        physical_network: null,
        segmentation_id: 7,
        segment_index: 0,
        is_dynamic: 0,
      },
    ],
    networksecuritybindings: [{ network_id: NET, port_security_enabled: 1 }],
    subnets: [
      {
        ...owned(SUBNET, 3),
        network_id: NET,
        ip_version: 4,
        cidr: '10.0.0.0/24',
        gateway_ip: '10.0.0.1',
        enable_dhcp: 1,
        ipv6_ra_mode: null,
        ipv6_address_mode: null,
        subnetpool_id: null,
        segment_id: null,
      },
    ],
    ipallocationpools: [{ id: 'pool', subnet_id: SUBNET, first_ip: '10.0.0.2', last_ip: '10.0.0.254' }],
    ports: PORTS.map((one, i) => ({
      ...owned(one.id, 4 + i),
      network_id: NET,
      mac_address: one.mac_address,
      admin_state_up: 1,
      status: one.status,
      device_id: one.device_id,
      device_owner: one.device_owner,
      ip_allocation: 'immediate',
    })),
    ipallocations: PORTS.map((one) => ({
      port_id: one.id,
      subnet_id: SUBNET,
      network_id: NET,
      ip_address: one.fixed_ips[0]?.ip_address ?? '',
      address_key: one.id,
    })),
    ml2_port_bindings: PORTS.map((one) => ({
      port_id: one.id,
      host: one['binding:host_id'] ?? '',
      vif_type: '',
      vnic_type: 'normal',
      profile: '{}',
      vif_details: '{}',
      status: 'ACTIVE',
    })),
    portsecuritybindings: PORTS.map((one) => ({ port_id: one.id, port_security_enabled: 1 })),
    provisioningblocks: [],
    extradhcpopts: [],
    securitygrouprules: [],
    securitygroupdefaultrules: [],
    securitygroups: [{ ...owned('group', 6), stateful: 1 }],
    agents: [
      {
        id: 'agent',
        agent_type: 'DHCP agent',
        binary: '',
        topic: '',
        host: HOST,
        availability_zone: null,
        admin_state_up: 1,
        created_at: '',
        started_at: '',
        heartbeat_timestamp: '',
        description: null,
        configurations: '{}',
        resource_versions: null,
        load: 0,
        resources_synced: null,
      },
    ],
    networkdhcpagentbindings: [{ network_id: NET, dhcp_agent_id: 'agent', binding_index: 1 }],
    ml2_vxlan_allocations: [{ vxlan_vni: 7, allocated: 1 }],
    outbox: [],
  };
  const host: HostFacts = {
    host: HOST,
    files: new Map([
      [`${NET}/host`, 'fa:16:3e:00:00:10,host-10.example.,10.0.0.10\n'],
      [`${NET}/addn_hosts`, '10.0.0.10\thost-10.example. host-10\n'],
    ]),
    namespaces: new Map([[`qdhcp-${NET}`, SPACE]]),
    devices: ['lo', `brq${NET.slice(0, 11)}`, `tap${OWN.slice(0, 11)}`],
    processes: [{ pid: 9, network: SPACE, command: `dnsmasq --pid-file=/state/dhcp/${NET}/pid ` }],
    machines: [],
  };
  const common = { name: '', description: '', revision_number: 1 };
  return {
    api: {
      networks: [{ ...common, id: NET, admin_state_up: true, status: 'ACTIVE', mtu: 1450, subnets: [SUBNET] }],
      subnets: [
        {
          ...common,
          id: SUBNET,
          network_id: NET,
          cidr: '10.0.0.0/24',
          ip_version: 4,
          enable_dhcp: true,
          gateway_ip: '10.0.0.1',
          dns_nameservers: [],
          host_routes: [],
          allocation_pools: [{ start: '10.0.0.2', end: '10.0.0.254' }],
          ipv6_ra_mode: null,
          ipv6_address_mode: null,
        },
      ],
      ports: PORTS,
    },
    database,
    hosts: [host],
    agentsPerNetwork: 1,
  };
}

/** Returns the facts with one part, such as `database.ports`, replaced by the result of a function. */
const withTable = <T extends keyof DatabaseFacts>(
  table: T,
  change: (rows: DatabaseFacts[T]) => DatabaseFacts[T],
): Facts => {
  const facts = agreed();
  return { ...facts, database: { ...facts.database, [table]: change(facts.database[table]) } };
};
const withHost = (change: (host: HostFacts) => Partial<HostFacts>): Facts => {
  const facts = agreed();
  return { ...facts, hosts: facts.hosts.map((host) => ({ ...host, ...change(host) })) };
};
const withFile = (name: string, text: string) =>
  withHost(({ files }) => ({ files: new Map([...files, [`${NET}/${name}`, text]]) }));

describe('the comparison of API, database and hosts', () => {
  test('finds nothing where all agree', () => {
    expect(disagreements(agreed())).toEqual([]);
  });

  test.each<[string, Facts, RegExp]>([
    [
      'a port that only the API has',
      withTable('ports', (rows) => rows.slice(1)),
      /port 3{8}\S+: in the API, not in the database/,
    ],
    [
      'another MAC in the database',
      withTable('ports', ([first, ...rest]) =>
        first ? [{ ...first, mac_address: 'fa:16:3e:99:99:99' }, ...rest] : [],
      ),
      /port 3{8}\S+: the API shows .*fa:16:3e:00:00:10.*the database has .*fa:16:3e:99:99:99/,
    ],
    [
      'an address that is not stored',
      withTable('ipallocations', (rows) => rows.slice(1)),
      /the API shows .*10\.0\.0\.10/,
    ],
    [
      'another revision',
      withTable('standardattributes', (rows) =>
        rows.map((row) => (row.id === 3 ? { ...row, revision_number: 8 } : row)),
      ),
      /subnet 2{8}/,
    ],
    [
      'an address given twice',
      withTable('ipallocations', (rows) => rows.map((row) => ({ ...row, ip_address: '10.0.0.10' }))),
      /address 10\.0\.0\.10 of subnet .* is given twice/,
    ],
    [
      'a MAC given twice',
      withTable('ports', (rows) => rows.map((row) => ({ ...row, mac_address: 'fa:16:3e:00:00:10' }))),
      /MAC fa:16:3e:00:00:10 on network .* is given twice/,
    ],
    [
      'a port without binding',
      withTable('ml2_port_bindings', (rows) => rows.slice(1)),
      /binding of port 3{8}\S+: wanted, not a row/,
    ],
    [
      'attributes that nobody names',
      withTable('standardattributes', (rows) => [...rows, ...rows.slice(0, 1).map((row) => ({ ...row, id: 99 }))]),
      /standard attributes 99: a row, not somebody names them/,
    ],
    [
      'a leaked VNI',
      withTable('ml2_vxlan_allocations', (rows) => [...rows, { vxlan_vni: 8, allocated: 1 }]),
      /VNI 8: allocated, not in use/,
    ],
    [
      'an event that was not told',
      withTable('outbox', () => [
        { id: 5, ordering_key: NET, host: null, method: 'port_create_end', payload: '{}', created_at: '' },
      ]),
      /outbox: port_create_end of 1{8}\S+ \(row 5\) was not told/,
    ],
    [
      'a network without agent',
      withTable('networkdhcpagentbindings', () => []),
      /is on the agents of \[\], of which 0 live; 1 would be right/,
    ],
    [
      'a port that waits for DHCP',
      withTable('provisioningblocks', () => [{ standard_attr_id: 4, entity: 'DHCP' }]),
      /port 3{8}\S+ still waits for DHCP/,
    ],
    [
      'a line too few',
      withFile('host', ''),
      /line of host fa:16:3e:00:00:10,host-10\.example\.,10\.0\.0\.10: wanted, not there/,
    ],
    [
      'a line too many',
      withFile('addn_hosts', '10.0.0.10\thost-10.example. host-10\n10.0.0.9\tx y\n'),
      /line of addn_hosts 10\.0\.0\.9\tx y: there, not wanted/,
    ],
    [
      'a line twice',
      withFile('addn_hosts', '10.0.0.10\thost-10.example. host-10\n10.0.0.10\thost-10.example. host-10\n'),
      /addn_hosts has a line twice/,
    ],
    [
      'a folder of no network',
      withHost(({ files }) => ({ files: new Map([...files, ['other/host', '']]) })),
      /folder other: there, not wanted/,
    ],
    ['a missing file', withHost(() => ({ files: new Map([[`${NET}/pid`, '9']]) })), /network 1{8}\S+ has no file host/],
    [
      'a stray namespace',
      withHost(({ namespaces }) => ({ namespaces: new Map([...namespaces, ['qdhcp-x', 1]]) })),
      /namespace qdhcp-x: there, not wanted/,
    ],
    [
      'a stray device',
      withHost(({ devices }) => ({ devices: [...devices, 'tap99999999-99'] })),
      /device tap99999999-99: there, not wanted/,
    ],
    [
      'a bridge of no network',
      withHost(({ devices }) => ({ devices: [...devices, 'brq99999999-99'] })),
      /bridge brq99999999-99: there, not wanted/,
    ],
    [
      'a machine without its device',
      withHost(() => ({ machines: [{ id: PORT, network_id: NET }] })),
      /device tap33333333-33: wanted, not there/,
    ],
    ['no dnsmasq', withHost(() => ({ processes: [] })), /dnsmasq 1{8}\S+: wanted, not runs/],
    ['two dnsmasq', withHost(({ processes }) => ({ processes: [...processes, ...processes] })), /has 2 dnsmasq: 9,9/],
    [
      'a dnsmasq in a namespace that is no more',
      withHost(({ processes }) => ({ processes: processes.map((one) => ({ ...one, network: 5 })) })),
      /dnsmasq 9 is not in the namespace of network/,
    ],
  ])('finds %s', (_what, facts, sentence) => {
    expect(disagreements(facts).join('\n')).toMatch(sentence);
  });

  test('expects the lines of options, IPv6 and disabled DHCP', () => {
    const facts = agreed();
    const subnet = facts.api.subnets[0];
    if (!subnet) throw new Error('a subnet');
    const six = { ...subnet, id: 'six', ip_version: 6 as const, ipv6_address_mode: 'dhcpv6-stateful' };
    const off = { ...subnet, id: 'off', enable_dhcp: false };
    const fixed_ips = [
      { subnet_id: 'six', ip_address: 'fd00::5' },
      { subnet_id: 'off', ip_address: '10.1.0.5' },
    ];
    const dns_assignment = fixed_ips.map(({ ip_address }) => ({ ip_address, hostname: 'h', fqdn: 'h.example.' }));
    const extra_dhcp_opts = [{ opt_name: 'mtu', opt_value: '1', ip_version: 4 as const }];
    const other = port('other', '10.0.0.12', { fixed_ips, dns_assignment, extra_dhcp_opts });
    const api = { ...facts.api, subnets: [...facts.api.subnets, six, off], ports: [...PORTS, other] };
    const wrong = disagreements({ ...facts, api }).filter((sentence) => sentence.includes('line of host'));
    expect(wrong).toEqual([
      `host host1: network ${NET}: line of host fa:16:3e:00:00:12,tag:dhcpv6,h.example.,[fd00::5],set:port-other: wanted, not there`,
    ]);
  });
});
