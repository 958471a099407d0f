import { DHCP_OWNER, FLOATING_IP_OWNER } from '../../../../net/device-owners.ts';
import type { ExtraDhcpOpt, FixedIp, PortDocument } from '../../../../rpc/documents.ts';
import {
  address,
  clientId,
  type Field,
  glue,
  id,
  type Line,
  line,
  mac,
  name,
  optionName,
  optionValue,
  plainAddress,
  Refused,
  word,
} from './fields.ts';
import { type Refusal, Refusals } from './refusals.ts';
import type { Subnet } from './subnets.ts';

/** All that decides about a port's lines, but the port itself. */
export interface PortContext {
  readonly subnets: ReadonlyMap<string, Subnet>;
  /** Domain behind generated host names; empty: none. */
  readonly domain: string;
  /** All of a port's addresses of one stateful DHCPv6 subnet in one line (dnsmasq_enable_addr6_list). */
  readonly mergeIpv6: boolean;
  /** Equal for contexts that make the same lines. */
  readonly key: string;
}

/** Who may hold a lease for an address. */
export interface Entitlement {
  readonly mac: string;
  readonly address: string;
  readonly clientId?: string;
  readonly version: 4 | 6;
  /** The port's status, such as ACTIVE. */
  readonly status: string;
}

/** What one port adds to each file. */
export interface PortLines {
  readonly host: readonly Line[];
  readonly addnHosts: readonly Line[];
  readonly opts: readonly Line[];
  readonly entitled: readonly Entitlement[];
  readonly refused: readonly Refusal[];
}

export function portContext(subnets: readonly Subnet[], domain: string, mergeIpv6: boolean): PortContext {
  const facts = subnets.map((s) => [s.id, s.version, s.enableDhcp, s.document.ipv6_address_mode]);
  return {
    subnets: new Map(subnets.map((s) => [s.id, s])),
    domain,
    mergeIpv6,
    key: JSON.stringify([domain, mergeIpv6, facts]),
  };
}

const NOTHING: PortLines = { host: [], addnHosts: [], opts: [], entitled: [], refused: [] };
/** Ports that ask nobody for their address. */
const UNSERVED_OWNERS = new Set<string>([DHCP_OWNER, FLOATING_IP_OWNER]);
const SET = word('set:');
const TAG = word('tag:');
const DHCPV6 = word('tag:dhcpv6');

interface Names {
  readonly fqdn: Field;
  readonly hostname: Field;
}

/** Names as the server assigned them, or made of the address where it assigned none (or none that can be told). */
function namesOf(port: PortDocument, ip: string, domain: string, owner: string, refusals: Refusals): Names {
  const assigned = port.dns_assignment?.find((one) => one.ip_address === ip);
  const generated = () => {
    const hostname = `host-${ip.replaceAll(/[.:]/g, '-')}`;
    return { hostname: name(hostname), fqdn: name(domain === '' ? hostname : `${hostname}.${domain}`) };
  };
  if (!assigned) return generated();
  const wanted = () => ({ hostname: name(assigned.hostname, 'host name'), fqdn: name(assigned.fqdn, 'host name') });
  return refusals.keep(owner, wanted, undefined) ?? generated();
}

const isClientId = (opt: ExtraDhcpOpt): boolean => opt.opt_name === 'client-id' || opt.opt_name === '61';

function optionLines(port: PortDocument, tag: Field, owner: string, refusals: Refusals): Line[] {
  const versions = new Set(port.fixed_ips.map(({ ip_address }) => (ip_address.includes(':') ? 6 : 4)));
  return (port.extra_dhcp_opts ?? []).flatMap((opt) => {
    const version = opt.ip_version;
    if (isClientId(opt) || !versions.has(version)) return [];
    const make = () => [optionLine(version, tag, opt.opt_name, opt.opt_value ? [optionValue(opt.opt_value)] : [])];
    return refusals.keep(owner, make, []);
  });
}

/**
 * A line of the options file (dnsmasq(8), --dhcp-option): for those with a tag, an option by name or number. Without
 * values the option is not sent at all, not even by itself.
 */
export function optionLine(version: 4 | 6, tag: Field, option: string, values: readonly Field[]): Line {
  const named = optionName(option);
  const prefix = version === 6 ? word('option6:') : /^\d+$/.test(named.option) ? ('' as const) : word('option:');
  const words = glue(named.tags, ...(prefix === '' ? [] : [prefix]), named.option);
  return line(',', [glue(TAG, tag), words, ...values]);
}

/**
 * What one port adds to the files `host`, `addn_hosts` and `opts`. A line of a stateless DHCPv6 address comes before the
 * port's others: dnsmasq takes the last line that fits a MAC, and one without an address would leave DHCPv4 without.
 */
export function renderPort(port: PortDocument, context: PortContext): PortLines {
  if (UNSERVED_OWNERS.has(port.device_owner)) return NOTHING;
  const owner = `port ${port.id}`;
  const refusals = new Refusals();
  const hardware = refusals.keep(owner, () => mac(port.mac_address), undefined);
  const tag = refusals.keep(owner, () => glue(word('port-'), id(port.id)), undefined);
  if (hardware === undefined || tag === undefined) return { ...NOTHING, refused: refusals.list };

  const opts = port.extra_dhcp_opts ?? [];
  const wantedId = opts.find(isClientId)?.opt_value;
  const client = wantedId === undefined ? undefined : refusals.keep(owner, () => clientId(wantedId), undefined);
  const settings = opts.length > (wantedId === undefined ? 0 : 1) ? [glue(SET, tag)] : [];
  const head = (version: 4 | 6) => (version === 6 ? [hardware, DHCPV6] : [hardware]);

  const stateless: Line[] = [];
  const stateful: Line[] = [];
  const addnHosts: Line[] = [];
  const entitled: Entitlement[] = [];
  const merged = new Map<string, { readonly names: Names; readonly addresses: Field[] }>();
  const hostLine = (version: 4 | 6, { fqdn }: Names, addresses: readonly Field[]) => {
    const who = [...head(version), ...(client === undefined ? [] : [glue(word('id:'), client)])];
    return line(',', [...who, fqdn, ...addresses, ...settings]);
  };

  const place = ({ ip_address: ip, subnet_id: subnetId }: FixedIp) => {
    const bare = plainAddress(ip);
    const names = namesOf(port, ip, context.domain, owner, refusals);
    addnHosts.push(line('\t', [bare, line(' ', [names.fqdn, names.hostname])]));
    const subnet = context.subnets.get(subnetId);
    if (!subnet) return;
    if (subnet.version !== (ip.includes(':') ? 6 : 4)) {
      throw new Refused('address', ip, `one of its subnet ${subnet.document.cidr}`);
    }
    if (subnet.addressing !== 'dhcp') {
      const asks = subnet.addressing === 'stateless' && opts.length > 0;
      if (asks) stateless.push(line(',', [...head(6), glue(SET, tag)]));
      return;
    }
    if (!subnet.enableDhcp) return;
    const merges = context.mergeIpv6 && subnet.document.ipv6_address_mode === 'dhcpv6-stateful';
    const before = merges ? merged.get(subnetId) : undefined;
    if (before) before.addresses.push(address(ip));
    else if (merges) merged.set(subnetId, { names, addresses: [address(ip)] });
    else stateful.push(hostLine(subnet.version, names, [address(ip)]));
    entitled.push({
      mac: hardware,
      address: bare,
      version: subnet.version,
      status: port.status,
      ...(client === undefined ? {} : { clientId: client }),
    });
  };
  for (const fixedIp of port.fixed_ips) refusals.keep(owner, () => place(fixedIp), undefined);
  for (const { names, addresses } of merged.values()) {
    refusals.keep(owner, () => stateful.push(hostLine(6, names, addresses)), undefined);
  }

  return {
    host: [...stateless, ...stateful],
    addnHosts,
    opts: optionLines(port, tag, owner, refusals),
    entitled,
    refused: refusals.list,
  };
}
