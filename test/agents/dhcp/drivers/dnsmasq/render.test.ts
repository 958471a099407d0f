import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NetworkLines, renderNetwork } from '../../../../../src/agents/dhcp/drivers/dnsmasq/render.ts';
import type { PortDocument, SubnetDocument } from '../../../../../src/rpc/documents.ts';
import { config, network, port, subnet } from './documents.ts';

describe('a value that dnsmasq would misread is left out, the rest is served', () => {
  const good = port(2);
  const goodLine = 'fa:16:3e:00:00:02,host-10-0-0-2.openstacklocal,10.0.0.2';
  const named = (fqdn: string): PortDocument => ({
    ...port(1),
    dns_assignment: [{ ip_address: '10.0.0.1', hostname: 'vm', fqdn }],
  });
  const withOption = (opt_name: string, opt_value: string): PortDocument => ({
    ...port(1),
    extra_dhcp_opts: [{ opt_name, opt_value, ip_version: 4 }],
  });

  test.each([
    ['a line feed', 'a\nfa:16:3e:00:00:09,10.0.0.9'],
    ['a comma', 'a,10.0.0.9'],
    ['a space', 'a b'],
    ['a lease time', '45m'],
    ['a number', '123'],
    ['an address', '10.0.0.9'],
    ['the word that makes dnsmasq ignore a host', 'ignore'],
    ['the word for an endless lease', 'infinite'],
    ['a letter beyond ASCII', 'bücher.example.org.'],
    ['a label of 64', `${'a'.repeat(64)}.org.`],
    ['an empty label', 'a..org'],
    ['nothing', ''],
    ['254 characters', `${'a.'.repeat(127)}`],
  ])('host name: %s', (_, fqdn) => {
    const { host, addnHosts, refused } = renderNetwork(network([named(fqdn), good]), config());
    expect(host).toBe(`fa:16:3e:00:00:01,host-10-0-0-1.openstacklocal,10.0.0.1\n${goodLine}\n`);
    expect(addnHosts).toContain('10.0.0.1\thost-10-0-0-1.openstacklocal host-10-0-0-1\n');
    expect(refused).toEqual([
      { owner: `port ${port(1).id}`, reason: expect.stringContaining(JSON.stringify(fqdn.slice(0, 200)).slice(0, -1)) },
    ]);
  });

  test.each([
    ['a line feed in the value', 'bootfile-name', 'a\ntag:x,3,10.0.0.9'],
    ['a carriage return in the value', 'bootfile-name', 'a\rb'],
    ['NUL in the value', 'bootfile-name', 'a\0b'],
    ['a quote that does not close', 'bootfile-name', 'say "hi'],
    ['a quote closed by an escaped one alone', 'bootfile-name', '"hi\\"'],
    ['a comment', 'bootfile-name', 'a #b'],
    ['half a surrogate pair', 'bootfile-name', 'a\ud800'],
    ['a comma in the name', 'bootfile-name,3', 'x'],
    ['a foreign tag', 'set:other,3', 'x'],
    ['a line feed in the name', '3\n6', 'x'],
    ['a line longer than dnsmasq reads', 'bootfile-name', 'x'.repeat(1100)],
  ])('extra DHCP option: %s', (_, name, value) => {
    const { host, opts, refused } = renderNetwork(network([withOption(name, value), good]), config());
    expect(host).toContain(`${goodLine}\n`);
    expect(opts).toBe(`${SUBNET_OPTS}\n`);
    expect(refused).toHaveLength(1);
  });

  test.each([
    ['commas part values', '150', '10.0.0.8,10.0.0.9', ',150,10.0.0.8,10.0.0.9'],
    ['quotes that close', 'root-path', '"a,b \\" #c"', ',option:root-path,"a,b \\" #c"'],
    ['a # in a word', 'root-path', 'a#b', ',option:root-path,a#b'],
    ['letters beyond ASCII', 'root-path', 'ä', ',option:root-path,ä'],
    ['tags', 'tag:ipxe,tag:!known,67', 'x', ',tag:ipxe,tag:!known,67,x'],
    ['no value', 'router', '', ',option:router'],
  ])('extra DHCP option that passes: %s', (_, name, value, line) => {
    const { opts, refused } = renderNetwork(network([withOption(name, value)]), config());
    expect(opts).toBe(`${SUBNET_OPTS}\ntag:port-${port(1).id}${line}\n`);
    expect(refused).toEqual([]);
  });

  test('a bad client id is left out, its port is served', () => {
    const { host, refused } = renderNetwork(network([withOption('client-id', 'a,b')]), config());
    expect(host).toBe('fa:16:3e:00:00:01,host-10-0-0-1.openstacklocal,10.0.0.1\n');
    expect(refused).toHaveLength(1);
  });

  test('a port without a usable MAC, address or id is left out alone', () => {
    const bad: PortDocument[] = [
      { ...port(1), mac_address: 'fa:16:3e' },
      { ...port(3), id: 'x,y' },
      { ...port(4), fixed_ips: [{ subnet_id: 's1', ip_address: '10.0.0.4/24' }] },
      { ...port(5), fixed_ips: [{ subnet_id: 's1', ip_address: 'fe80::1%eth0,x' }] },
    ];
    const { host, refused } = renderNetwork(network([...bad, good]), config());
    expect(host).toBe(`${goodLine}\n`);
    expect(refused).toHaveLength(4);
  });

  test('a subnet that cannot be read is left out, with its hosts', () => {
    const bad: SubnetDocument = { ...subnet('s2', '10.0.1.0/33') };
    const odd = { ...port(1), fixed_ips: [{ subnet_id: 's2', ip_address: '10.0.1.1' }] };
    const { host, commandLine, refused } = renderNetwork(
      { ...network([odd, good]), subnets: [subnet('s1', '10.0.0.0/24'), bad] },
      config(),
    );
    expect(host).toBe(`${goodLine}\n`);
    expect(commandLine.filter((one) => one.startsWith('--dhcp-range'))).toHaveLength(1);
    expect(refused).toHaveLength(1);
  });

  test('a bad dns_domain and a bad DNS server are left out', () => {
    const info = {
      ...network([good]),
      subnets: [{ ...subnet('s1', '10.0.0.0/24'), dns_nameservers: ['1.1.1.1\n3,x'] }],
    };
    const { host, opts, commandLine } = renderNetwork(info, config({ dns_domain: 'a b' }));
    expect(host).toBe('fa:16:3e:00:00:02,host-10-0-0-2,10.0.0.2\n');
    expect(opts).toBe(`${SUBNET_OPTS}\n`);
    expect(commandLine.some((one) => one.startsWith('--domain'))).toBe(false);
  });

  test('a network id that is no folder name is refused', () => {
    expect(() => renderNetwork({ ...network([]), id: '..' }, config())).toThrow(/id "\.\.": must be/);
  });
});

const SUBNET_OPTS = 'tag:subnet-s1,option:router,10.0.0.254';

describe('routes that DHCP hands out', () => {
  const many = Array.from({ length: 60 }, (_, i) => subnet(`t${i}`, `10.1.${i}.0/24`));

  test('routes to other subnets give way when the option is full; what leads over a router stays', () => {
    const first = {
      ...subnet('s1', '10.0.0.0/24'),
      host_routes: [{ destination: '10.9.0.0/16', nexthop: '10.0.0.9' }],
    };
    const { opts, refused } = renderNetwork({ ...network([]), subnets: [first, ...many] }, config());
    const line = opts.split('\n').find((one) => one.startsWith('tag:subnet-s1,249,')) ?? '';
    const routes = line.split(',').slice(2);
    expect(routes.slice(-4)).toEqual(['10.9.0.0/16', '10.0.0.9', '0.0.0.0/0', '10.0.0.254']);
    const bytes = routes
      .filter((_, i) => i % 2 === 0)
      .reduce((sum, to) => sum + 5 + Math.ceil(Number(to.split('/')[1]) / 8), 0);
    expect(bytes).toBeLessThanOrEqual(255);
    expect(bytes).toBeGreaterThan(255 - 9);
    expect(refused[0]?.reason).toMatch(/^\d+ routes to other subnets left out/);
  });

  test("the metadata service is reached through the agent's own DHCP port", () => {
    const dhcp = (n: number) => ({ ...port(n), device_owner: 'network:dhcp' });
    const info = network([dhcp(3), dhcp(4)]);
    const route = (ownPortId?: string) =>
      renderNetwork(info, config({ force_metadata: true }), ownPortId ? { ownPortId } : {}).opts.match(
        /169\.254\.169\.254\/32,([\d.]+)/,
      )?.[1];
    expect(route(port(3).id)).toBe('10.0.0.3');
    expect(route()).toBe('10.0.0.4');
  });
});

describe('the command line', () => {
  test("dnsmasq logs into the network's folder, or where the operator wants it, with queries", () => {
    const of = (more: object) => renderNetwork(network([]), config(more)).commandLine;
    expect(of({})).toContain('--log-facility=/state/dhcp/n1/log');
    expect(of({})).not.toContain('--log-dhcp');
    const told = of({ dnsmasq_base_log_dir: '/var/log/dm' });
    expect(told).toEqual(
      expect.arrayContaining(['--log-queries', '--log-dhcp', '--log-facility=/var/log/dm/n1/dhcp_dns_log']),
    );
  });

  test('no more leases than dnsmasq_lease_max allows, and the host’s resolv.conf when it is wanted', () => {
    const of = (more: object) => renderNetwork(network([]), config(more)).commandLine;
    expect(of({})).toEqual(expect.arrayContaining(['--dhcp-lease-max=256', '--no-resolv']));
    const told = of({ dnsmasq_lease_max: 10, dnsmasq_local_resolv: true });
    expect(told).toContain('--dhcp-lease-max=10');
    expect(told).not.toContain('--no-resolv');
  });

  test('subnets of other segments are served, too, but are no neighbours on the link', () => {
    const here = { ...subnet('s1', '10.0.0.0/24'), segment_id: 'a' };
    const there = { ...subnet('s9', '10.9.0.0/24'), segment_id: 'b' };
    const far = { ...port(1), fixed_ips: [{ subnet_id: 's9', ip_address: '10.9.0.1' }] };
    const made = renderNetwork({ ...network([far]), subnets: [here], non_local_subnets: [there] }, config());
    expect(made.commandLine.filter((one) => one.startsWith('--dhcp-range'))).toHaveLength(2);
    expect(made.host).toContain(',10.9.0.1\n');
    expect(made.opts).not.toContain('10.9.0.0/24');
  });

  test("bits of hosts in a network's address are masked away", () => {
    const info = { ...network([]), subnets: [subnet('s1', '192.168.7.77/26')] };
    expect(renderNetwork(info, config()).commandLine).toContain(
      '--dhcp-range=set:subnet-s1,192.168.7.64,static,255.255.255.192,86400s',
    );
  });
});

describe('rendering a network again', () => {
  test('pays only for ports whose document is new, and for all when a subnet changed', () => {
    let reads = 0;
    const counted = (n: number): PortDocument =>
      new Proxy(port(n), {
        get: (target, key) => {
          if (key === 'mac_address') reads++;
          return Reflect.get(target, key);
        },
      });
    const ports = [1, 2, 3, 4].map(counted);
    const lines = new NetworkLines(config(), network(ports));
    const first = lines.rendered();
    const readsOfOne = reads / 4;
    reads = 0;
    const changed = [...ports.slice(0, 3), counted(5)];
    lines.serve(network(changed));
    const second = lines.rendered();
    expect(reads).toBe(readsOfOne);
    expect(second.host).toBe(renderNetwork(network(changed), config()).host);
    expect(second.host).not.toBe(first.host);

    reads = 0;
    lines.change({ set: [counted(6)], removed: [port(2).id] });
    const third = lines.rendered();
    expect(reads).toBe(readsOfOne);
    expect(third.host).toBe(renderNetwork(network([1, 3, 5, 6].map((n) => port(n))), config()).host);

    const off = { ...network(changed), subnets: [{ ...subnet('s1', '10.0.0.0/24'), enable_dhcp: false }] };
    lines.serve(off);
    expect(lines.rendered().host).toBe('');
  });

  test('ports changed one by one make what the whole network makes, whatever they are', () => {
    const owners = ['compute:nova', 'network:dhcp', 'network:router_interface', 'network:floatingip'];
    const anyPort = fc.record({
      n: fc.integer({ min: 1, max: 8 }),
      at: fc.integer({ min: 1, max: 254 }),
      owner: fc.constantFrom(...owners),
    });
    const change = fc.record({
      set: fc.array(anyPort, { maxLength: 4 }),
      removed: fc.array(fc.integer({ min: 1, max: 8 }), { maxLength: 3 }),
    });
    const made = ({ n, at, owner }: { n: number; at: number; owner: string }): PortDocument => ({
      ...port(n),
      device_owner: owner,
      fixed_ips: [{ subnet_id: 's1', ip_address: `10.0.0.${at}` }],
    });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 8 }), (changes) => {
        const chosen = config({ enable_isolated_metadata: true });
        const lines = new NetworkLines(chosen, network([]));
        const now = new Map<string, PortDocument>();
        for (const { set, removed } of changes) {
          const ids = removed.map((n) => port(n).id);
          const documents = [...new Map(set.map((one) => [one.n, made(one)])).values()].filter(
            ({ id }) => !ids.includes(id),
          );
          lines.change({ set: documents, removed: ids });
          for (const id of ids) now.delete(id);
          for (const one of documents) now.set(one.id, one);
          const ports = [...now.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
          const whole = renderNetwork(network(ports), chosen);
          const { holderOf: _, ...mine } = lines.rendered();
          const { holderOf: __, ...theirs } = whole;
          expect(mine).toEqual(theirs);
        }
      }),
    );
  });

  test('changed ports name the addresses whose holder changed, and the IPv6 addresses that went to another MAC address', () => {
    const six = { ...subnet('s6', 'fd00::/64'), ip_version: 6 as const, ipv6_address_mode: 'dhcpv6-stateful' };
    const at = (n: number, ip: string) => ({
      ...port(n),
      fixed_ips: [{ subnet_id: ip.includes(':') ? 's6' : 's1', ip_address: ip }],
    });
    const info = { ...network([at(1, 'fd00::1'), at(2, 'fd00::2'), at(3, '10.0.0.3')]) };
    const lines = new NetworkLines(config(), { ...info, subnets: [...info.subnets, six] });
    const change = (set: PortDocument[], removed: string[] = []) => {
      const { left, movedIpv6 } = lines.change({ set, removed });
      return [[...left], [...movedIpv6]];
    };
    expect(change([at(2, 'fd00::9')])).toEqual([['fd00::2'], []]);
    expect(change([at(2, 'fd00:0::1')], [port(1).id])).toEqual([['fd00::1', 'fd00::9'], ['fd00::1']]);
    expect(change([at(4, '10.0.0.4')])).toEqual([[], []]);
    expect(change([{ ...at(4, '10.0.0.4'), status: 'ACTIVE' }])).toEqual([[], []]);
    // Another port has it still: the deletion of that one was missed, or arrives later.
    expect(change([at(5, '10.0.0.3')])).toEqual([['10.0.0.3'], []]);
    expect(change([], [port(5).id])).toEqual([['10.0.0.3'], []]);
  });

  test('many ports, added and deleted one by one in any order, make what the whole network makes', () => {
    const nth = (n: number): PortDocument => ({
      ...port(n & 255),
      id: `port${String(n).padStart(4, '0')}`,
      mac_address: `fa:16:3e:00:0${n >> 8}:${(n & 255).toString(16).padStart(2, '0')}`,
      fixed_ips: [{ subnet_id: 's1', ip_address: `10.0.${n >> 8}.${n & 255}` }],
    });
    const order = Array.from({ length: 700 }, (_, n) => ((n * 389) % 700) + 1);
    const lines = new NetworkLines(config(), network([]));
    const check = (numbers: readonly number[]) => {
      const whole = renderNetwork(network([...numbers].sort((a, b) => a - b).map((n) => nth(n))), config());
      const { host, addnHosts, opts, entitled } = lines.rendered();
      expect([host, addnHosts, opts, entitled]).toEqual([whole.host, whole.addnHosts, whole.opts, whole.entitled]);
    };
    for (const [at, n] of order.entries()) {
      lines.change({ set: [nth(n)], removed: [] });
      if (at % 100 === 0) check(order.slice(0, at + 1));
    }
    check(order);
    for (const [at, n] of order.entries()) {
      lines.change({ set: [], removed: [nth(n).id] });
      if (at % 100 === 50) check(order.slice(at + 1));
    }
    check([]);
  });
});
