/** Protocols that port forwardings and conntrack helpers name. */
export const NAT_PROTOCOLS = ['dccp', 'icmp', 'ipv6-icmp', 'sctp', 'tcp', 'udp'] as const;

export type NatProtocol = (typeof NAT_PROTOCOLS)[number];
