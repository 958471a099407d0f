import { parseCidr } from '../../../../net/addresses.ts';
import { IP_PROTOCOLS, PORT_PROTOCOLS, protocolNumber } from '../../../../net/protocols.ts';
import type { FilterRule } from '../../../../rpc/topics/security-groups.ts';
import { bare, remoteSet } from './names.ts';

const ICMP: readonly string[] = ['icmp', '1'];
const ICMPV6: readonly string[] = ['icmp', 'icmpv6', 'ipv6-icmp', '58'];

/** A rule that cannot be represented; the message says why. */
export class UnknownRule extends Error {}

const isNumber = (value: number | undefined, most: number): value is number =>
  value !== undefined && Number.isInteger(value) && value >= 0 && value <= most;

function icmpMatch(rule: FilterRule, keyword: 'icmp' | 'icmpv6'): string {
  const { port_range_min: type, port_range_max: code } = rule;
  if (type === undefined) return `meta l4proto ${keyword === 'icmp' ? 1 : 58}`;
  if (!isNumber(type, 255)) throw new UnknownRule(`ICMP type ${type}`);
  if (code === undefined) return `${keyword} type ${type}`;
  if (!isNumber(code, 255)) throw new UnknownRule(`ICMP code ${code}`);
  return `${keyword} type ${type} ${keyword} code ${code}`;
}

function protocolMatch(rule: FilterRule): string {
  const { protocol, port_range_min: low, port_range_max: high } = rule;
  if (protocol === undefined || protocol === 'any' || protocol === '-1') return '';
  const name = protocol.toLowerCase();
  if (rule.ethertype === 'IPv4' && ICMP.includes(name)) return icmpMatch(rule, 'icmp');
  if (rule.ethertype === 'IPv6' && ICMPV6.includes(name)) return icmpMatch(rule, 'icmpv6');
  const number = protocolNumber(name);
  if (number === undefined) throw new UnknownRule(`protocol ${protocol}`);
  if (low === undefined && high === undefined) return `meta l4proto ${number}`;
  const ported = PORT_PROTOCOLS.find((one) => IP_PROTOCOLS[one] === number);
  if (ported === undefined) throw new UnknownRule(`ports of protocol ${protocol}`);
  const [from, to] = [low ?? 0, high ?? 65_535];
  if (!isNumber(from, 65_535) || !isNumber(to, 65_535) || from > to) throw new UnknownRule(`ports ${from} to ${to}`);
  return `${ported} dport ${from === to ? from : `${from}-${to}`}`;
}

/** Returns the matches of the other side; several are alternatives. */
function remoteMatches(rule: FilterRule): readonly string[] {
  const [family, version] = rule.ethertype === 'IPv6' ? (['ip6', 6] as const) : (['ip', 4] as const);
  const side = rule.direction === 'ingress' ? 'saddr' : 'daddr';
  const group = rule.remote_group_id ?? rule.remote_address_group_id;
  if (group !== undefined)
    return (['hosts', 'prefixes'] as const).map(
      (kind) => `${family} ${side} @${bare(remoteSet(group, version, kind))}`,
    );
  const prefix = rule.direction === 'ingress' ? rule.source_ip_prefix : rule.dest_ip_prefix;
  const anybody = `meta nfproto ipv${version}`;
  if (prefix === undefined) return [anybody];
  const cidr = parseCidr(prefix);
  if (cidr?.version !== version) throw new UnknownRule(`prefix ${prefix} of ${rule.ethertype}`);
  return [cidr.prefixLength === 0 ? anybody : `${family} ${side} ${prefix}`];
}

/** Returns the rules of nft that a rule becomes. Throws UnknownRule: it is then denied, as everything that no rule allows. */
export function ruleText(rule: FilterRule): readonly string[] {
  if (rule.ethertype !== 'IPv4' && rule.ethertype !== 'IPv6') throw new UnknownRule(`ethertype ${rule.ethertype}`);
  const protocol = protocolMatch(rule);
  return remoteMatches(rule).map((remote) => [remote, protocol, 'accept'].filter((part) => part !== '').join(' '));
}
