/** IP protocols by the names that security group rules use, with their numbers (IANA; Networking API v2.0, Security group rules). */
export const IP_PROTOCOLS = {
  ah: 51,
  dccp: 33,
  egp: 8,
  esp: 50,
  gre: 47,
  hopopt: 0,
  icmp: 1,
  igmp: 2,
  ip: 0,
  ipip: 4,
  'ipv6-encap': 41,
  'ipv6-frag': 44,
  'ipv6-icmp': 58,
  icmpv6: 58,
  'ipv6-nonxt': 59,
  'ipv6-opts': 60,
  'ipv6-route': 43,
  ospf: 89,
  pgm: 113,
  rsvp: 46,
  sctp: 132,
  tcp: 6,
  udp: 17,
  udplite: 136,
  vrrp: 112,
} as const satisfies Readonly<Record<string, number>>;

const NUMBERS: ReadonlyMap<string, number> = new Map(Object.entries(IP_PROTOCOLS));

/** Returns the number of a protocol, given by name or number; undefined for anything else. */
export function protocolNumber(protocol: string): number | undefined {
  if (/^\d{1,3}$/.test(protocol)) {
    const number = Number(protocol);
    return number <= 255 ? number : undefined;
  }
  return NUMBERS.get(protocol);
}

/** Protocols with ports. */
export const PORT_PROTOCOLS: readonly (keyof typeof IP_PROTOCOLS)[] = ['dccp', 'sctp', 'tcp', 'udp', 'udplite'];

/** Returns whether a protocol, given by its number, has ports. */
export const hasPorts = (number: number): boolean => PORT_PROTOCOLS.some((name) => IP_PROTOCOLS[name] === number);

/** Returns whether a protocol, given by its number, is ICMP or ICMPv6: types and codes take the place of ports. */
export const isIcmp = (number: number): boolean => number === IP_PROTOCOLS.icmp || number === IP_PROTOCOLS['ipv6-icmp'];
