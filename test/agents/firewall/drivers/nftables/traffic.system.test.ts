import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { NftablesFirewall } from '../../../../../src/agents/firewall/drivers/nftables/driver.ts';
import { NFTABLES } from '../../../../../src/agents/firewall/drivers/nftables/kind.ts';
import type { FilteredPort, SecurityGroup } from '../../../../../src/agents/firewall/groups.ts';
import { NftProgram } from '../../../../../src/linux/nftables/program.ts';
import { needsRoot } from '../../../../linux/root.ts';
import { isProgram } from '../../../../support/is-program.ts';
import { firewallContract } from '../../firewall-contract.ts';
import { type FirewallHost, firewallHost, type Guest } from './host.ts';

const missing = ['/usr/sbin/nft', '/usr/sbin/conntrack', '/usr/bin/python3'].filter((path) => !isProgram(path));
const obstacle = needsRoot ? 'needs root' : missing.length > 0 ? `${missing.join(', ')} missing` : undefined;
const GROUP = '8564f46a-1f94-4229-b607-5b07e64cf638';
const OPTIONS = ['nf_call_iptables', '1', 'nf_call_ip6tables', '1'];

/** Returns a program that says whether a TCP connection opens. */
const connects = (ip: string, port: number) => `
import socket
try:
  s = socket.create_connection(('${ip}', ${port}), 0.7); print(s.recv(9).decode())
except OSError: print('no')`;
const serves = (port: number) => `
import socket, threading
s = socket.socket(socket.AF_INET6); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0); s.bind(('::', ${port})); s.listen(); s.settimeout(8)
kept = []
try:
  while True:
    c, _ = s.accept(); c.sendall(b'yes'); kept.append(c)
except OSError: pass`;
/** Returns a program that sends frames as they are, and one that says which of them arrive, by their place in the list. */
const sends = (frames: readonly string[]) => `
import socket, time
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW); s.bind(('eth0', 0))
for frame in ${JSON.stringify(frames)}:
  s.send(bytes.fromhex(frame)); time.sleep(0.01)`;
const hears = (frames: readonly string[]) => `
import socket, time
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.ntohs(3)); s.bind(('eth0', 3)); s.settimeout(0.2)
frames = [bytes.fromhex(f) for f in ${JSON.stringify(frames)}]
heard = set(); end = time.time() + 1.5
while time.time() < end:
  try: got = s.recv(2000)
  except OSError: continue
  heard |= {n for n, f in enumerate(frames) if got.startswith(f)}
print(sorted(heard))`;

describe.skipIf(obstacle !== undefined)(obstacle ?? 'the firewall nftables', () => {
  let host: FirewallHost;
  let firewall: NftablesFirewall;
  let guests: readonly Guest[];
  const open = () => new NftablesFirewall({ where: { namespace: host.namespace }, log: pino({ level: 'silent' }) });
  beforeEach(async () => {
    host = await firewallHost(OPTIONS);
    firewall = open();
    guests = [await host.guest(1), await host.guest(2)];
  });
  afterEach(async () => {
    await firewall.close();
    await host.dispose();
  });

  firewallContract(NFTABLES, () => host.namespace);
  firewallContract(
    {
      ...NFTABLES,
      name: 'nftables by its program',
      create: (parts) => new NftablesFirewall({ ...parts, open: async (where) => new NftProgram(where) }),
    },
    () => host.namespace,
  );

  const port = ({ device, mac, ip, ip6 }: Guest, groups: readonly string[] = [GROUP]): FilteredPort => ({
    device,
    bridge: host.bridge,
    mac_address: mac,
    fixed_ips: [ip, ip6],
    allowed_address_pairs: [],
    security_groups: groups,
  });
  const EGRESS = [
    { direction: 'egress', ethertype: 'IPv4' },
    { direction: 'egress', ethertype: 'IPv6' },
  ] as const;
  const ssh = {
    direction: 'ingress',
    ethertype: 'IPv4',
    protocol: 'tcp',
    port_range_min: 22,
    port_range_max: 22,
  } as const;
  const group = (...rules: SecurityGroup['rules']): SecurityGroup => ({ id: GROUP, rules: [...EGRESS, ...rules] });
  const both = () => guests.map((guest) => port(guest));

  /** What the first machine gets of ports of the second one. */
  async function reached(targets: readonly (readonly [string, number])[]): Promise<readonly string[]> {
    const [one, two] = guests as readonly [Guest, Guest];
    const ports = [...new Set(targets.map(([, at]) => at))];
    const servers = ports.map((at) => two.python(serves(at), 15_000));
    await Promise.all(ports.map((at) => two.listens(at)));
    const answers: string[] = [];
    for (const [ip, at] of targets) answers.push(await one.python(connects(ip, at)));
    void Promise.allSettled(servers);
    return answers;
  }

  test('lets pass what rules allow, of both versions, and replies, and nothing else', async () => {
    const v6 = { ...ssh, ethertype: 'IPv6', port_range_min: 23, port_range_max: 23 } as const;
    expect(await firewall.hold({ ports: both(), groups: [group(ssh, v6)] })).toEqual(new Map());
    const [, two] = guests as readonly [Guest, Guest];
    expect(
      await reached([
        [two.ip, 22],
        [two.ip, 23],
        [two.ip6, 22],
        [two.ip6, 23],
      ]),
    ).toEqual(['yes', 'no', 'no', 'yes']);
  });

  test('follows the members of a group, and the rules', async () => {
    const [one, two] = guests as readonly [Guest, Guest];
    const rule = { ...ssh, remote_group_id: GROUP };
    await firewall.hold({ ports: both(), groups: [group(rule)], remotes: [{ id: GROUP, members: [two.ip] }] });
    expect(await reached([[two.ip, 22]])).toEqual(['no']);
    await firewall.hold({ remotes: [{ id: GROUP, members: [one.ip, two.ip] }] });
    expect(await reached([[two.ip, 22]])).toEqual(['yes']);
    await firewall.hold({ groups: [group()] });
    expect(await reached([[two.ip, 22]])).toEqual(['no']);
  });

  test('cuts established flows when their rule goes', async () => {
    const [one, two] = guests as readonly [Guest, Guest];
    await firewall.hold({ ports: both(), groups: [group(ssh)] });
    void two.python(serves(22), 15_000).catch(() => undefined);
    await two.listens(22);
    expect(await one.python(connects(two.ip, 22))).toBe('yes');
    expect(await host.run('conntrack', '-L')).toContain('dport=22');
    await firewall.hold({ groups: [group()] });
    await firewall.close();
    expect(await host.run('conntrack', '-L')).not.toContain('dport=22');
  });

  test('nothing passes instead of everything when the bridge does not call it', async () => {
    const [, two] = guests as readonly [Guest, Guest];
    await firewall.hold({ ports: both(), groups: [group(ssh)] });
    await host.run('ip', 'link', 'set', host.bridge, 'type', 'bridge', 'nf_call_iptables', '0');
    await host.run('sysctl', '-qw', 'net.bridge.bridge-nf-call-iptables=0');
    expect(await reached([[two.ip, 22]])).toEqual(['no']);
  });

  test('a restarted agent adopts the filters, and a flushed table is written again', async () => {
    const [, two] = guests as readonly [Guest, Guest];
    const change = { ports: both(), groups: [group(ssh)] };
    await firewall.hold(change);
    const before = await host.run('nft', '-s', 'list', 'ruleset');
    await firewall.close();
    firewall = open();
    await firewall.hold(change);
    expect(await host.run('nft', '-s', 'list', 'ruleset')).toBe(before);
    await host.run('nft', 'add', 'table', 'inet', 'foreign');
    await host.run('nft', 'flush', 'table', 'inet', 'neutrino');
    expect(await firewall.check()).toBe(true);
    expect(await firewall.check()).toBe(false);
    expect(await host.run('nft', 'list', 'tables')).toContain('foreign');
    expect(
      await reached([
        [two.ip, 22],
        [two.ip, 23],
      ]),
    ).toEqual(['yes', 'no']);
  });

  test('a port that is invalid does not keep others from being filtered', async () => {
    const [one, two] = both() as [FilteredPort, FilteredPort];
    const failed = await firewall.hold({ ports: [{ ...one, mac_address: 'nonsense' }, two], groups: [group(ssh)] });
    expect([...failed.keys()]).toEqual([one.device]);
    expect(await host.run('nft', 'list', 'set', 'bridge', 'neutrino', 'ports')).toContain(two.device);
  });

  const MAC = { one: 'fa163e000001', two: 'fa163e000002', foreign: 'fa163e0000ff', all: 'ffffffffffff' };
  const hex = (value: number, octets: number) => value.toString(16).padStart(octets * 2, '0');
  const checksum = (words: string): string => {
    let sum = 0;
    for (let at = 0; at < words.length; at += 4) sum += Number.parseInt(words.slice(at, at + 4).padEnd(4, '0'), 16);
    while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
    return hex(~sum & 0xffff, 2);
  };
  const arp = (mac: string, sender: string) =>
    `${MAC.all}${mac}08060001080006040001${mac}${sender}0000000000000a00000c`;
  const udp = (from: number, to: number, data: string) =>
    `${hex(from, 2)}${hex(to, 2)}${hex(8 + data.length / 2, 2)}0000${data}`;
  const ipv4 = (to: string, source: string, target: string, data: string) => {
    const header = (sum: string) => `4500${hex(20 + data.length / 2, 2)}000000004011${sum}${source}${target}`;
    return `${to}${MAC.one}0800${header(checksum(header('0000')))}${data}`;
  };
  const dhcp = (from: number, to: number, chaddr: string) =>
    ipv4(
      MAC.all,
      '0a00000b',
      'ffffffff',
      udp(from, to, `010106001234567800000000${'00000000'.repeat(4)}${chaddr}${'00'.repeat(202)}63825363350101ff`),
    );
  const ipv6 = (source: string, target: string, next: string, data: string) =>
    `3333000000${target.slice(-2)}${MAC.one}86dd60000000${hex(data.length / 2, 2)}${next}ff${source}${target}${data}`;
  const [LOCAL, ALL_NODES] = ['fe80000000000000f8163efffe000001', 'ff020000000000000000000000000001'];
  const icmpv6 = (source: string, message: string) => {
    const sum = checksum(`${source}${ALL_NODES}${hex(message.length / 2, 4)}0000003a${message}`);
    return ipv6(source, ALL_NODES, '3a', `${message.slice(0, 4)}${sum}${message.slice(8)}`);
  };
  const FRAMES = {
    'a neighbour request of its own address': arp(MAC.one, '0a00000b'),
    'a neighbour request of another address': arp(MAC.one, '0a000063'),
    'a frame with another MAC address': arp(MAC.foreign, '0a00000b'),
    'a packet of its own address, which the group refuses': ipv4(
      MAC.two,
      '0a00000b',
      '0a00000c',
      udp(9, 9, '01020304'),
    ),
    'a packet of another address': ipv4(MAC.two, '0a000063', '0a00000c', udp(9, 9, '01020305')),
    'an answer of a DHCP server': dhcp(67, 68, MAC.one),
    "a DHCP request of another machine's MAC address": dhcp(68, 67, MAC.two),
    'a router advertisement': icmpv6(LOCAL, `8600000040000000${'00'.repeat(8)}`),
    'a neighbor advertisement of another address': icmpv6(LOCAL, '8800000020000000fd000000000000000000000000000063'),
    'a frame of an unknown protocol': `${MAC.two}${MAC.one}88b5${'42'.repeat(60)}`,
  };

  test('a machine that lies is not heard', async () => {
    const [one, two] = guests as readonly [Guest, Guest];
    const names = Object.keys(FRAMES);
    const frames = Object.values(FRAMES);
    const heard = async () => {
      const listening = two.python(hears(frames));
      await two.hears();
      await one.python(sends(frames));
      return (JSON.parse(await listening) as number[]).map((n) => names[n]);
    };
    // Each of them arrives without a filter.
    expect(await heard()).toEqual(names);
    await firewall.hold({ ports: both(), groups: [group()] });
    expect(await heard()).toEqual(['a neighbour request of its own address']);
  });
});
