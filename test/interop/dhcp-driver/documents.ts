import fc from 'fast-check';
import { formatIp, parseCidr } from '../../../src/net/addresses.ts';
import type { NetworkInfo, PortDocument, SubnetDocument } from '../../../src/rpc/documents.ts';
import type { Case } from '../../agents/dhcp/drivers/dnsmasq/vector.ts';

/** Random network documents as servers send them to DHCP agents, and options of the agent. */

const V4 = [
  '10.0.0.0/24',
  '10.0.1.0/24',
  '10.0.2.0/23',
  '172.16.0.0/20',
  '192.168.7.0/28',
  '169.254.0.0/24',
  '169.254.0.0/15',
  '100.64.0.0/10',
  '203.0.113.8/29',
  // Not in canonical form: host bits are set.
  '10.8.0.5/24',
];
const V6 = [
  'fd00:1::/64',
  'fd00:2::/64',
  '2001:db8::/64',
  '2001:db8:1::/96',
  'fd00:abcd::/48',
  '2001:db8:0:f::/120',
  'fe80::/64',
  '2001:DB8:5:0::/64',
  'fd00:6::1/64',
];
const MODES = [null, 'slaac', 'dhcpv6-stateful', 'dhcpv6-stateless'] as const;
const OWNERS = [
  'compute:nova',
  'compute:nova',
  'compute:az1',
  '',
  'network:dhcp',
  'network:router_interface',
  'network:ha_router_replicated_interface',
  'network:router_interface_distributed',
  'network:router_centralized_snat',
  'network:router_gateway',
  'network:router_ha_interface',
  'network:floatingip',
  'network:floatingip_agent_gateway',
  'network:distributed',
  'network:local_ip',
  'baremetal:none',
  'trunk:subport',
  'Octavia',
  'neutron:LOADBALANCERV2',
] as const;
const SEGMENTS = ['5e900000-0000-4000-8000-000000000001', '5e900000-0000-4000-8000-000000000002'] as const;

const pick = <T>(...values: readonly T[]) => fc.constantFrom(...values);
const uuid = fc.uuid({ version: 4 });

/** An address of a subnet; most are near its start, where gateways are. */
const addressIn = (cidr: string): fc.Arbitrary<string> => {
  const { version, first, last } = parseCidr(cidr) ?? { version: 4 as const, first: 0n, last: 0n };
  const size = last - first;
  const offset = fc.oneof(fc.bigInt(1n, size > 6n ? 6n : size - 1n), fc.bigInt(1n, size - 1n));
  return offset.map((n) => formatIp(version, first + n));
};

const anyV4 = fc.ipV4().filter((ip) => ip !== '0.0.0.0');
const nexthop = (version: 4 | 6) => (version === 4 ? anyV4 : pick('fd00::1', 'fe80::1', '2001:db8::fe'));
const destination = (version: 4 | 6) =>
  version === 4
    ? pick('0.0.0.0/0', '10.9.0.0/16', '169.254.169.254/32', '192.0.2.0/24', '198.51.100.7/32')
    : pick('::/0', 'fd00:9::/64');

function subnet(networkId: string, cidr: string, segmented: boolean): fc.Arbitrary<SubnetDocument> {
  const version = cidr.includes(':') ? 6 : 4;
  const none = version === 4 ? '0.0.0.0' : '::';
  const servers =
    version === 4
      ? fc.array(anyV4, { maxLength: 3 })
      : fc.array(pick('fd00::53', '2001:db8::53', '::1'), { maxLength: 3 });
  return fc.record({
    id: uuid,
    network_id: fc.constant(networkId),
    name: fc.constant('s'),
    cidr: fc.constant(cidr),
    ip_version: fc.constant(version as 4 | 6),
    enable_dhcp: fc.oneof({ weight: 5, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
    gateway_ip: fc.oneof(fc.constant(null), addressIn(cidr), addressIn(cidr), nexthop(version)),
    dns_nameservers: fc.oneof(fc.constant([]), servers, fc.constant([none]), fc.constant([none, none])),
    host_routes: fc.array(fc.record({ destination: destination(version), nexthop: nexthop(version) }), {
      maxLength: 4,
    }),
    allocation_pools: fc.constant([]),
    ipv6_ra_mode: version === 6 ? pick(...MODES) : fc.constant(null),
    ipv6_address_mode: version === 6 ? pick(...MODES) : fc.constant(null),
    segment_id: segmented ? pick(...SEGMENTS, null) : fc.constant(null),
  });
}

const NAMES = [
  'mtu',
  '26',
  'bootfile-name',
  '67',
  '150',
  'tag:ipxe,67',
  'tag:!ipxe,bootfile-name',
  'server-ip-address',
  'dns-server',
  'domain-search',
  '59',
  'tag:ipxe6,59',
  'router',
  'ntp-server',
  'tag:a,tag:b,66',
  'client-id',
  '61',
] as const;
const VALUES = [
  '1400',
  'undionly.kpxe',
  'http://192.0.2.1/boot.ipxe',
  '192.0.2.9',
  '192.0.2.9,192.0.2.10',
  '[2001:db8::1]',
  '"a,b"',
  'a:b=c;d',
  '00:11:ff',
  '10.0.0.0/8,192.0.2.1',
  'example.org',
  "it's",
] as const;
const CLIENT_IDS = ['01:02:03', 'ff:00:00:00:01', 'client-7'] as const;

const option = fc
  .record({
    opt_name: pick(...NAMES),
    value: pick(...VALUES),
    client: pick(...CLIENT_IDS),
    ip_version: pick(4 as const, 6 as const),
  })
  .map(({ opt_name, value, client, ip_version }) => ({
    opt_name,
    opt_value: opt_name === 'client-id' || opt_name === '61' ? client : value,
    ip_version,
  }));

const host = pick('vm-1', 'web', '10', 'a1', 'host-10-0-0-1', 'x_y', 'UPPER', '2h', 'n-9');
const domain = pick('', 'openstacklocal.', 'example.org.', 'sub.example.org.');

/** The port's other attributes do not matter to the driver. */
function port(networkId: string, subnets: readonly SubnetDocument[]): fc.Arbitrary<PortDocument> {
  const unknown = { subnet_id: '99999999-9999-4999-8999-999999999999', ip_address: '198.18.0.7' };
  const fixed =
    subnets.length === 0
      ? fc.constant(unknown)
      : fc.oneof(
          {
            weight: 12,
            arbitrary: pick(...subnets).chain(({ id, cidr }) =>
              addressIn(cidr).map((ip_address) => ({ subnet_id: id, ip_address })),
            ),
          },
          { weight: 1, arbitrary: fc.constant(unknown) },
        );
  return fc
    .record({
      id: uuid,
      mac: fc.nat(0xffffff),
      device_owner: pick(...OWNERS),
      status: pick('ACTIVE', 'DOWN', 'BUILD'),
      fixed_ips: fc.uniqueArray(fixed, { maxLength: 5, selector: ({ ip_address }) => ip_address }),
      assigned: pick('all', 'some', 'none', 'absent'),
      host,
      domain,
      extra_dhcp_opts: fc.oneof(
        fc.constant(undefined),
        fc.constant([]),
        fc.uniqueArray(option, { maxLength: 4, selector: ({ opt_name, ip_version }) => `${opt_name} ${ip_version}` }),
      ),
    })
    .map(({ mac, assigned, host: hostname, domain: of, extra_dhcp_opts, ...rest }) => {
      const names = rest.fixed_ips.map(({ ip_address }) => ({
        ip_address,
        hostname,
        // dnsmasq takes a bare 10 for an address and 2h for a lease time: our driver replaces these.
        fqdn: of === '' && !/^\d/.test(hostname) ? hostname : `${hostname}.${of || 'example.org.'}`,
      }));
      const dns_assignment = { all: names, some: names.slice(1), none: [], absent: undefined }[assigned];
      return {
        ...rest,
        network_id: networkId,
        tenant_id: 'p',
        admin_state_up: true,
        device_id: '',
        mac_address: `fa:16:3e:${mac
          .toString(16)
          .padStart(6, '0')
          .replace(/(..)(..)(..)/, '$1:$2:$3')}`,
        ...(dns_assignment ? { dns_assignment } : {}),
        ...(extra_dhcp_opts ? { extra_dhcp_opts } : {}),
      };
    });
}

const options = fc.record(
  {
    dhcp_lease_duration: pick(86_400, 120, 4_294_967_295, -1),
    dhcp_renewal_time: pick(0, 300),
    dhcp_rebinding_time: pick(0, 600),
    dhcp_broadcast_reply: fc.boolean(),
    dns_domain: pick('', 'openstacklocal', 'example.org', 'Example.ORG', 'x_y.example.'),
    dnsmasq_dns_servers: pick([], ['192.0.2.53'], ['192.0.2.53#5353', '2001:db8::53', '/corp.example/192.0.2.54']),
    dnsmasq_local_resolv: fc.boolean(),
    dnsmasq_lease_max: pick(16_777_216, 100),
    dnsmasq_config_file: pick('', '/etc/neutron/dnsmasq.conf', ' /etc/neutron/a b.conf '),
    dnsmasq_base_log_dir: fc.constant('$state_path/log'),
    dnsmasq_enable_addr6_list: fc.boolean(),
    enable_isolated_metadata: fc.boolean(),
    enable_metadata_network: fc.boolean(),
    force_metadata: fc.boolean(),
  },
  { requiredKeys: [] },
);

/** Whether each subnet is on another segment, which the agent does not reach. */
const places = fc.record({ segmented: fc.boolean(), others: fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }) });

const network: fc.Arbitrary<NetworkInfo> = fc
  .record({
    id: uuid,
    cidrs: fc.uniqueArray(pick(...V4, ...V6), { maxLength: 10 }),
    places,
    mtu: pick(0, 68, 1450, 1500, 9000),
  })
  .chain(({ id, cidrs, places: { segmented, others }, mtu }) =>
    fc.tuple(...cidrs.map((cidr) => subnet(id, cidr, segmented))).chain((subnets) => {
      const isOther = (_: SubnetDocument, at: number) => segmented && (others[at] ?? false);
      return fc.array(port(id, subnets), { maxLength: 8 }).map((ports) => ({
        id,
        tenant_id: 'p',
        project_id: 'p',
        admin_state_up: true,
        mtu,
        subnets: subnets.filter((one, at) => !isOther(one, at)),
        non_local_subnets: subnets.filter(isOther),
        ports,
      }));
    }),
  );

/** A network document with the options under which it is served. */
export const anyCase: fc.Arbitrary<Case> = fc.record({ config: options, network });
