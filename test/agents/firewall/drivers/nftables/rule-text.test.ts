import { describe, expect, test } from 'vitest';
import { groupChains } from '../../../../../src/agents/firewall/drivers/nftables/group-chains.ts';
import { ruleText } from '../../../../../src/agents/firewall/drivers/nftables/rule-text.ts';
import type { FilterRule } from '../../../../../src/rpc/topics/security-groups.ts';

const GROUP = '8564f46a-1f94-4229-b607-5b07e64cf638';
const text = (rule: Partial<FilterRule>) => ruleText({ direction: 'ingress', ethertype: 'IPv4', ...rule });

describe('a rule', () => {
  test.each<readonly [Partial<FilterRule>, readonly string[]]>([
    [{}, ['meta nfproto ipv4 accept']],
    [{ ethertype: 'IPv6' }, ['meta nfproto ipv6 accept']],
    [{ protocol: 'tcp', port_range_min: 22, port_range_max: 22 }, ['meta nfproto ipv4 tcp dport 22 accept']],
    [{ protocol: '17', port_range_min: 1, port_range_max: 9 }, ['meta nfproto ipv4 udp dport 1-9 accept']],
    [{ protocol: 'udp' }, ['meta nfproto ipv4 meta l4proto 17 accept']],
    [{ protocol: '112' }, ['meta nfproto ipv4 meta l4proto 112 accept']],
    [{ protocol: 'vrrp' }, ['meta nfproto ipv4 meta l4proto 112 accept']],
    [{ protocol: 'icmp' }, ['meta nfproto ipv4 meta l4proto 1 accept']],
    [{ protocol: 'icmp', port_range_min: 8, port_range_max: 0 }, ['meta nfproto ipv4 icmp type 8 icmp code 0 accept']],
    [{ ethertype: 'IPv6', protocol: 'ipv6-icmp', port_range_min: 128 }, ['meta nfproto ipv6 icmpv6 type 128 accept']],
    [{ source_ip_prefix: '10.0.0.0/8' }, ['ip saddr 10.0.0.0/8 accept']],
    [{ source_ip_prefix: '0.0.0.0/0' }, ['meta nfproto ipv4 accept']],
    [{ direction: 'egress', ethertype: 'IPv6', dest_ip_prefix: 'fd00::/8' }, ['ip6 daddr fd00::/8 accept']],
    [{ remote_group_id: GROUP }, [`ip saddr @rg-${GROUP}-hosts4 accept`, `ip saddr @rg-${GROUP}-prefixes4 accept`]],
  ])('%j is %j', (rule, expected) => {
    expect(text(rule)).toEqual(expected);
  });

  test.each<Partial<FilterRule>>([
    { protocol: 'nonsense' },
    { protocol: '256' },
    { protocol: 'gre', port_range_min: 1, port_range_max: 2 },
    { protocol: 'tcp', port_range_min: 9, port_range_max: 1 },
    { protocol: 'tcp', port_range_min: 1, port_range_max: 70_000 },
    { protocol: 'icmp', port_range_min: 256 },
    { source_ip_prefix: 'fd00::/8' },
    { source_ip_prefix: '10.0.0.0/8 accept; flush ruleset' },
  ])('%j allows nothing, and the others of its group do', (rule) => {
    expect(() => text(rule)).toThrow();
    const other = { direction: 'ingress', ethertype: 'IPv4', protocol: 'udp' } as const;
    const { chains, unknown } = groupChains({
      id: GROUP,
      rules: [{ direction: 'ingress', ethertype: 'IPv4', ...rule }, other],
    });
    expect(unknown).toHaveLength(1);
    expect([...chains.values()].flat()).toEqual(['meta nfproto ipv4 meta l4proto 17 accept']);
  });
});
