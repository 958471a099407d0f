import { formatCidr, parseCidr } from '../../net/addresses.ts';
import { hasPorts, IP_PROTOCOLS, isIcmp, PORT_PROTOCOLS, protocolNumber } from '../../net/protocols.ts';
import { neutronError } from '../../resources/errors.ts';
import type { Ethertype } from '../../resources/security-group-types.ts';

/** What a rule matches. */
export interface Matching {
  readonly direction: 'ingress' | 'egress';
  readonly ethertype: Ethertype;
  readonly protocol: string | null;
  readonly port_range_min: number | null;
  readonly port_range_max: number | null;
  readonly remote_ip_prefix: string | null;
  readonly remote_group_id: string | null;
  readonly remote_address_group_id: string | null;
}

const EVERY_PORT = { first: 1, last: 65535 };
const MOST_ICMP = 255;

/** Protocols that exist in IPv6 only. */
const IPV6_ONLY: readonly number[] = [
  IP_PROTOCOLS['ipv6-encap'],
  IP_PROTOCOLS['ipv6-frag'],
  IP_PROTOCOLS['ipv6-icmp'],
  IP_PROTOCOLS['ipv6-nonxt'],
  IP_PROTOCOLS['ipv6-opts'],
  IP_PROTOCOLS['ipv6-route'],
];

/** In IPv6, ICMP means ICMPv6. */
function canonicalProtocol(ethertype: Ethertype, protocol: string | null): string | null {
  if (ethertype !== 'IPv6') return protocol;
  if (protocol === 'icmp' || protocol === 'icmpv6') return 'ipv6-icmp';
  return protocol === String(IP_PROTOCOLS.icmp) ? String(IP_PROTOCOLS['ipv6-icmp']) : protocol;
}

/**
 * Returns what a rule matches in the form in which it is stored. Throws for what no firewall could enforce: ports without a
 * protocol that has them (CVE-2019-9735), incomplete ranges, a protocol or a prefix of the other IP version, several remote sides.
 */
export function checkedMatching(wanted: Matching): Matching {
  const { ethertype, remote_ip_prefix: prefix } = wanted;
  const whole = wanted.port_range_min === EVERY_PORT.first && wanted.port_range_max === EVERY_PORT.last;
  const matching = {
    ...wanted,
    protocol: canonicalProtocol(ethertype, wanted.protocol),
    ...(whole ? { port_range_min: null, port_range_max: null } : {}),
  };
  checkPorts(matching);
  if (prefix !== null && (prefix.includes(':') ? 'IPv6' : 'IPv4') !== ethertype)
    throw neutronError('SecurityGroupRuleParameterConflict', { ethertype, cidr: prefix });
  const { protocol } = matching;
  if (protocol !== null && ethertype === 'IPv4' && IPV6_ONLY.includes(protocolNumber(protocol) ?? -1))
    throw neutronError('SecurityGroupEthertypeConflictWithProtocol', { ethertype, protocol });
  const remotes = [prefix, wanted.remote_group_id, wanted.remote_address_group_id];
  if (remotes.filter((remote) => remote !== null).length > 1) throw neutronError('SecurityGroupMultipleRemoteEntites');
  return matching;
}

function checkPorts({ protocol, port_range_min: min, port_range_max: max }: Matching): void {
  if (min === null && max === null) return;
  if (protocol === null) throw neutronError('SecurityGroupProtocolRequiredWithPorts');
  const number = protocolNumber(protocol) ?? -1;
  if (hasPorts(number)) {
    if (min === 0 || max === 0) throw neutronError('SecurityGroupInvalidPortValue', { port: 0 });
    if (min === null || max === null || min > max) throw neutronError('SecurityGroupInvalidPortRange');
  } else if (isIcmp(number)) {
    for (const [attribute, field, value] of [
      ['port_range_min', 'type', min],
      ['port_range_max', 'code', max],
    ] as const)
      if (value !== null && value > MOST_ICMP)
        throw neutronError('SecurityGroupInvalidIcmpValue', { field, attribute, value });
    if (min === null) throw neutronError('SecurityGroupMissingIcmpType', { code: max ?? 'None' });
  } else
    throw neutronError('SecurityGroupInvalidProtocolForPort', {
      protocol: number,
      protocols: PORT_PROTOCOLS.join(', ').toUpperCase(),
    });
}

const NOTHING = '+';
const EVERYWHERE: readonly (string | null)[] = ['0.0.0.0/0', '::/0', null];

/** Returns a text that is equal for rules that match the same: the key that makes them unique in their group. */
export function ruleKey(matching: Matching): string {
  const { direction, ethertype, protocol, port_range_min: min, port_range_max: max } = matching;
  const { remote_group_id: group, remote_address_group_id: addresses, remote_ip_prefix: prefix } = matching;
  // A name and its number are the same protocol; of the two names of 0, as in Neutron, only `ip` is.
  const number = protocol === null ? null : protocol === 'hopopt' ? protocol : protocolNumber(protocol);
  return [
    direction,
    ethertype,
    number ?? NOTHING,
    min ?? NOTHING,
    max ?? NOTHING,
    group ?? NOTHING,
    addresses ?? NOTHING,
    EVERYWHERE.includes(prefix) ? NOTHING : prefix,
  ].join(' ');
}

/** Returns a prefix with host bits cleared. */
export function normalizedCidr(prefix: string | null): string | null {
  const parsed = prefix === null ? undefined : parseCidr(prefix);
  return parsed ? formatCidr(parsed) : null;
}
