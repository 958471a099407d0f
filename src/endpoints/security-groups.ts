import { sql } from 'kysely';
import type { Queries } from '../db/database.ts';
import { isNetworkDevice } from '../net/device-owners.ts';
import type { Core } from '../plugin/core.ts';
import { type PortDocument, portDocuments } from '../plugin/ports/documents.ts';
import type { Matching } from '../plugin/security-groups/matching.ts';
import type { Handlers } from '../rpc/topic.ts';
import type { PluginMethods } from '../rpc/topics/plugin.ts';
import type { FilteredDevice, FilterRule, MemberAddresses, SecurityGroupInfo } from '../rpc/topics/security-groups.ts';
import { groupBy, loadInOrder } from '../store/listing.ts';
import { textsArgument } from './arguments.ts';
import { portsOfDevices } from './devices.ts';

/** Maximum number of devices in one call, more than a host can have. */
const MAX_DEVICES = 10_000;
/** Groups in one query. */
const CHUNK = 100;

type Ethertype = FilterRule['ethertype'];

const DHCP_REPLY = { protocol: 'udp', port_range_min: 68, port_range_max: 68 } as const;
const DHCPV6_REPLY = { protocol: 'udp', port_range_min: 546, port_range_max: 546 } as const;

/** Rules of every port, because it could not get an address without them: router advertisements, DHCP, DHCPv6. */
function ownRules(addresses: readonly string[]): readonly FilterRule[] {
  const [v6, v4] = [addresses.filter((ip) => ip.includes(':')), addresses.filter((ip) => !ip.includes(':'))];
  const ingress = (ethertype: Ethertype) => ({ direction: 'ingress', ethertype }) as const;
  const dhcp = { ...ingress('IPv4'), ...DHCP_REPLY, source_port_range_min: 67, source_port_range_max: 67 };
  const dhcpv6 = { ...ingress('IPv6'), ...DHCPV6_REPLY, source_port_range_min: 547, source_port_range_max: 547 };
  return [
    ...(v6.length > 0 ? [{ ...ingress('IPv6'), protocol: 'ipv6-icmp', source_port_range_min: 134 }] : []),
    ...[...v4, '255.255.255.255'].map((ip) => ({ ...dhcp, dest_ip_prefix: `${ip}/32` })),
    ...[...v6.map((ip) => `${ip}/128`), 'fe80::/64'].map((prefix) => ({ ...dhcpv6, dest_ip_prefix: prefix })),
  ];
}

/** As the database has it. */
interface RuleRow extends Omit<Matching, 'direction' | 'ethertype'> {
  readonly stateful: number | boolean;
  readonly direction: string;
  readonly ethertype: string;
}

function filterRule(row: RuleRow): FilterRule {
  const { protocol, port_range_min, port_range_max, remote_group_id, remote_address_group_id } = row;
  const direction = row.direction === 'egress' ? 'egress' : 'ingress';
  const prefix = direction === 'egress' ? 'dest_ip_prefix' : 'source_ip_prefix';
  const narrowing = {
    protocol,
    port_range_min,
    port_range_max,
    remote_group_id,
    remote_address_group_id,
    [prefix]: row.remote_ip_prefix,
  };
  return {
    direction,
    ethertype: row.ethertype === 'IPv6' ? 'IPv6' : 'IPv4',
    stateful: Boolean(row.stateful),
    ...Object.fromEntries(Object.entries(narrowing).filter(([, value]) => value !== null)),
  };
}

/** Returns the rules of groups by group; groups without rules have an empty list. */
async function rulesOf(db: Queries, groups: readonly string[]): Promise<ReadonlyMap<string, readonly FilterRule[]>> {
  const found = new Map<string, readonly FilterRule[]>(groups.map((id) => [id, []]));
  for (let at = 0; at < groups.length; at += CHUNK) {
    const rows = await db
      .selectFrom('securitygrouprules as r')
      .innerJoin('securitygroups as g', 'g.id', 'r.security_group_id')
      .select(['r.security_group_id', 'g.stateful', 'r.direction', 'r.ethertype', 'r.protocol', 'r.port_range_min'])
      .select(['r.port_range_max', 'r.remote_ip_prefix', 'r.remote_group_id', 'r.remote_address_group_id'])
      .where('r.security_group_id', 'in', groups.slice(at, at + CHUNK))
      .orderBy('r.standard_attr_id')
      .execute();
    for (const [group, own] of groupBy(rows, (row) => row.security_group_id)) found.set(group, own.map(filterRule));
  }
  return found;
}

/** What rules name as the remote side, by id, with the versions that they need. */
function remotes(
  rules: Iterable<FilterRule>,
  name: 'remote_group_id' | 'remote_address_group_id',
): ReadonlyMap<string, ReadonlySet<Ethertype>> {
  const found = new Map<string, Set<Ethertype>>();
  for (const rule of rules) {
    const id = rule[name];
    if (id !== undefined) found.set(id, (found.get(id) ?? new Set()).add(rule.ethertype));
  }
  return found;
}

interface MemberRow {
  readonly id: string;
  readonly address: string;
  readonly mac: string | null;
}

const versionOf = (address: string): Ethertype => (address.includes(':') ? 'IPv6' : 'IPv4');

function byVersion(rows: readonly MemberRow[], versions: ReadonlySet<Ethertype>): MemberAddresses {
  const members = groupBy(rows, ({ address }) => versionOf(address));
  return Object.fromEntries(
    [...versions].map((version) => [version, (members.get(version) ?? []).map(({ address, mac }) => [address, mac])]),
  );
}

/** Returns the fixed IPs and allowed address pairs of the ports of groups. */
async function membersOf(db: Queries, groups: readonly string[]): Promise<readonly MemberRow[]> {
  const found: MemberRow[] = [];
  for (let at = 0; at < groups.length; at += CHUNK) {
    const some = sql.join(groups.slice(at, at + CHUNK));
    const { rows } = await sql<MemberRow>`
      select g.security_group_id as id, a.ip_address as address, null as mac
        from securitygroupportbindings g inner join ipallocations a on a.port_id = g.port_id
        where g.security_group_id in (${some})
      union
      select g.security_group_id as id, p.ip_address as address, p.mac_address as mac
        from securitygroupportbindings g inner join allowedaddresspairs p on p.port_id = g.port_id
        where g.security_group_id in (${some})`.execute(db);
    found.push(...rows);
  }
  return found;
}

async function addressesOf(db: Queries, groups: readonly string[]): Promise<readonly MemberRow[]> {
  const found: MemberRow[] = [];
  for (let at = 0; at < groups.length; at += CHUNK)
    found.push(
      ...(await db
        .selectFrom('address_associations')
        .select((eb) => ['address_group_id as id', 'address', eb.val<string | null>(null).as('mac')])
        .where('address_group_id', 'in', groups.slice(at, at + CHUNK))
        .execute()),
    );
  return found;
}

async function memberAddresses(db: Queries, rules: readonly FilterRule[]): Promise<Record<string, MemberAddresses>> {
  const groups = remotes(rules, 'remote_group_id');
  const addressGroups = remotes(rules, 'remote_address_group_id');
  const rows = [...(await membersOf(db, [...groups.keys()])), ...(await addressesOf(db, [...addressGroups.keys()]))];
  const byId = groupBy(rows, ({ id }) => id);
  return Object.fromEntries(
    [...groups, ...addressGroups].map(([id, versions]) => [id, byVersion(byId.get(id) ?? [], versions)]),
  );
}

function filteredDevice(device: string, port: PortDocument, rules: readonly FilterRule[]): FilteredDevice {
  const fixed_ips = port.fixed_ips.map(({ ip_address }) => ip_address);
  return {
    ...port,
    device,
    fixed_ips,
    security_group_rules: ownRules(fixed_ips),
    security_group_source_groups: [...remotes(rules, 'remote_group_id').keys()],
    security_group_remote_address_groups: [...remotes(rules, 'remote_address_group_id').keys()],
  };
}

async function infoFor({ db: { kysely: db }, config }: Core, devices: readonly string[]): Promise<SecurityGroupInfo> {
  const found = await portsOfDevices(db, devices, '');
  const ids = [...new Set([...found.values()].map(({ id }) => id))];
  const documents = await loadInOrder(ids, (some) => portDocuments(db, config, some));
  const byId = new Map(documents.map((document) => [document.id, document]));
  const ports = [...found].flatMap(([device, { id }]) => {
    const port = byId.get(id);
    return port && !isNetworkDevice(port.device_owner) ? [{ device, port }] : [];
  });
  const rules = await rulesOf(db, [...new Set(ports.flatMap(({ port }) => port.security_groups))]);
  const rulesOfPort = ({ security_groups }: PortDocument) => security_groups.flatMap((id) => rules.get(id) ?? []);
  return {
    devices: Object.fromEntries(
      ports.map(({ device, port }) => [port.id, filteredDevice(device, port, rulesOfPort(port))]),
    ),
    security_groups: Object.fromEntries(rules),
    sg_member_ips: await memberAddresses(db, [...rules.values()].flat()),
  };
}

/** The methods about security groups for L2 agents. They throw NeutronError for malformed arguments. */
export const securityGroupMethods = (core: Core): Pick<Handlers<PluginMethods>, 'security_group_info_for_devices'> => ({
  security_group_info_for_devices: (args) => infoFor(core, textsArgument(args, 'devices', MAX_DEVICES)),
});
