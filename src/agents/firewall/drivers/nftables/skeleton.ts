/**
 * The part of the tables that is the same on every host. A frame from a filtered port gets a mark, by which the inet table (reached
 * through br_netfilter) finds the rules of its port; a packet towards one likewise. docs/security-groups.md explains it.
 */

export const BRIDGE_TABLE = 'bridge neutrino';
export const INET_TABLE = 'inet neutrino';

/** The upper byte of marks; the rest is the number of the port. `seen`: the inet table has looked at the packet. */
const TAGS = { from: 0x6c, fromSeen: 0x6d, to: 0x6e, toSeen: 0x6f } as const;
/** Numbers of ports: 24 bits. */
export const MAX_PORT = 0xffffff;

/** Returns the mark of a port's packets, as nft prints it. */
export const markOf = (tag: keyof typeof TAGS, port: number): string =>
  `0x${((TAGS[tag] * 0x1000000 + port) >>> 0).toString(16).padStart(8, '0')}`;
const tag = (name: keyof typeof TAGS): string => markOf(name, 0);

const isTag = (name: keyof typeof TAGS) => `meta mark & 0xff000000 == ${tag(name)}`;

/** Sets and maps by table: what their elements are. */
export const SETS = {
  /** Filtered ports. */
  'bridge neutrino ports': 'set { type ifname; }',
  'bridge neutrino marks_from': 'map { type ifname : mark; }',
  'bridge neutrino marks_to': 'map { type ifname : mark; }',
  'bridge neutrino macs': 'set { type ifname . ether_addr; }',
  'bridge neutrino pairs4': 'set { type ifname . ether_addr . ipv4_addr; }',
  'bridge neutrino prefixes4': 'set { type ifname . ether_addr . ipv4_addr; flags interval; }',
  'bridge neutrino pairs6': 'set { type ifname . ether_addr . ipv6_addr; }',
  'bridge neutrino prefixes6': 'set { type ifname . ether_addr . ipv6_addr; flags interval; }',
  /** MAC addresses in DHCP requests (chaddr), and addresses in neighbor advertisements. */
  'bridge neutrino chaddrs': 'set { typeof iifname . @th,288,48; }',
  'bridge neutrino targets6': 'set { typeof iifname . ether saddr . @th,64,128; }',
  /** Conntrack zones of networks, by bridge. */
  'inet neutrino zones': 'map { typeof iifname : ct zone; }',
  'inet neutrino from_ports': 'map { type mark : verdict; }',
  'inet neutrino to_ports': 'map { type mark : verdict; }',
} as const;
export type SetName = keyof typeof SETS;

/** Chains without a hook, and chains with one; their rules in order. */
const CHAINS: Readonly<Record<string, readonly string[]>> = {
  'bridge neutrino from_arp': [
    'iifname . arp saddr ether . arp saddr ip @pairs4 accept',
    'iifname . arp saddr ether . arp saddr ip @prefixes4 accept',
    // Probes (RFC 5227).
    'arp saddr ip 0.0.0.0 iifname . arp saddr ether @macs accept',
    'counter drop',
  ],
  'bridge neutrino from_ipv4': [
    'udp sport 67 udp dport 68 counter drop',
    // A request with the MAC address of another machine would release its lease.
    'udp sport 68 udp dport 67 iifname . @th,288,48 != @chaddrs counter drop',
    'ip saddr 0.0.0.0 udp sport 68 udp dport 67 accept',
    'iifname . ether saddr . ip saddr @pairs4 accept',
    'iifname . ether saddr . ip saddr @prefixes4 accept',
    'counter drop',
  ],
  'bridge neutrino from_ipv6': [
    'icmpv6 type { nd-router-advert, nd-redirect } counter drop',
    // They could hide one of these from the rule above (RFC 6980).
    'ip6 daddr fe80::/10 exthdr frag exists counter drop',
    'ip6 daddr ff00::/8 exthdr frag exists counter drop',
    'udp sport 547 udp dport 546 counter drop',
    'icmpv6 type nd-neighbor-advert iifname . ether saddr . @th,64,128 @targets6 accept',
    'icmpv6 type nd-neighbor-advert counter drop',
    'ip6 saddr :: icmpv6 type { nd-neighbor-solicit, mld-listener-report, mld2-listener-report } accept',
    'iifname . ether saddr . ip6 saddr @pairs6 accept',
    'iifname . ether saddr . ip6 saddr @prefixes6 accept',
    'counter drop',
  ],
  'bridge neutrino prerouting': [
    'type filter hook prerouting priority -310; policy accept;',
    'iifname != @ports accept',
    'meta mark set iifname map @marks_from',
    'iifname . ether saddr != @macs counter drop',
    'ether type vmap { arp : goto from_arp, ip : goto from_ipv4, ip6 : goto from_ipv6 }',
    'counter drop',
  ],
  'bridge neutrino forward': [
    'type filter hook forward priority -10; policy accept;',
    // Without br_netfilter, nothing passes instead of everything.
    `ether type { ip, ip6 } ${isTag('from')} counter drop`,
    'oifname @ports meta mark set oifname map @marks_to',
  ],
  'bridge neutrino postrouting': [
    'type filter hook postrouting priority 310; policy accept;',
    `ether type { ip, ip6 } ${isTag('to')} counter drop`,
    `meta mark & 0xfc000000 == ${tag('from')} meta mark set 0x00000000`,
  ],
  'inet neutrino zone': ['type filter hook prerouting priority -300; policy accept;', 'ct zone set iifname map @zones'],
  'inet neutrino prerouting': [
    'type filter hook prerouting priority 0; policy accept;',
    `meta mark & 0xff000000 != ${tag('from')} accept`,
    'meta mark set meta mark | 0x01000000',
    'meta mark vmap @from_ports',
    'counter drop',
  ],
  'inet neutrino forward': [
    'type filter hook forward priority 0; policy accept;',
    `meta mark & 0xff000000 != ${tag('to')} accept`,
    'meta mark set meta mark | 0x01000000',
    'meta mark vmap @to_ports',
    'counter drop',
  ],
};

/** Returns the script that creates both tables, empty. */
export function skeletonScript(): string {
  const lines = [`add table ${BRIDGE_TABLE}`, `add table ${INET_TABLE}`];
  for (const [name, declared] of Object.entries(SETS)) {
    const [kind = '', ...body] = declared.split(' ');
    lines.push(`add ${kind} ${name} ${body.join(' ')}`);
  }
  for (const [name, rules] of Object.entries(CHAINS)) {
    const [hook] = rules[0]?.startsWith('type ') ? [rules[0]] : [undefined];
    lines.push(`add chain ${name}${hook === undefined ? '' : ` { ${hook} }`}`);
    for (const rule of rules.slice(hook === undefined ? 0 : 1)) lines.push(`add rule ${name} ${rule}`);
  }
  return `${lines.join('\n')}\n`;
}

/** Number of rules in each chain of the skeleton, by table and name. */
export const SKELETON_RULES: ReadonlyMap<string, number> = new Map(
  Object.entries(CHAINS).map(([name, rules]) => [name, rules.filter((rule) => !rule.startsWith('type ')).length]),
);
