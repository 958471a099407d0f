import { chmod, readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { nativeObstacle } from '../../../../../src/linux/native.ts';
import { run } from '../../../../../src/linux/run.ts';
import { openDeviceSocket } from '../../../../../src/linux/udp-sockets.ts';
import { isRoot, macOf, World } from './world.ts';

describe.skipIf(!isRoot)('a network served by a real dnsmasq (needs root)', () => {
  let world: World;
  beforeEach(async () => {
    world = await World.create();
  });
  afterEach(() => world.close());

  test('a machine gets its address and all it is to know', async () => {
    const driver = world.driver({ dhcp_lease_duration: 7200, dns_domain: 'example.org' });
    const subnet = world.subnet('s1', '10.0.0.0/24', {
      dns_nameservers: ['192.0.2.53', '192.0.2.54'],
      host_routes: [{ destination: '10.9.0.0/16', nexthop: '10.0.0.9' }],
    });
    const names = { ip_address: '10.0.0.11', hostname: 'vm-1', fqdn: 'vm-1.example.org.' };
    const port = world.port(11, {
      dns_assignment: [names],
      extra_dhcp_opts: [{ opt_name: 'bootfile-name', opt_value: 'pxelinux.0', ip_version: 4 }],
    });
    await driver.serve(world.wanted([port], { subnets: [subnet] }));

    const told = await (await world.client(11)).ask(['-O', 'bootfile']);
    const routes = '10.9.0.0/16 10.0.0.9 0.0.0.0/0 10.0.0.1';
    expect(told).toMatchObject({
      ip: '10.0.0.11',
      subnet: '255.255.255.0',
      broadcast: '10.0.0.255',
      router: '10.0.0.1',
      dns: '192.0.2.53 192.0.2.54',
      domain: 'example.org',
      hostname: 'vm-1',
      lease: '7200',
      mtu: '1450',
      serverid: '10.0.0.2',
      staticroutes: routes,
      msstaticroutes: routes,
      bootfile: 'pxelinux.0',
    });
    expect(await world.read('interface')).toBe(world.device);
    expect(await world.read('log')).toMatch(
      /DHCPDISCOVER.*\n(.*\n)*.*DHCPOFFER.*\n(.*\n)*.*DHCPREQUEST.*\n(.*\n)*.*DHCPACK/,
    );
  });

  test('an unknown MAC gets no answer', async () => {
    await world.driver().serve(world.wanted([world.port(11)]));
    expect(await (await world.client(12)).ask()).toBeUndefined();
  });

  test('a port added is answered, by the dnsmasq that runs', async () => {
    const driver = world.driver();
    await driver.serve(world.wanted([world.port(11)]));
    const pid = await world.pid();
    await driver.serve(world.wanted([world.port(11), world.port(12)]));
    expect(await world.pid()).toBe(pid);
    expect(await world.reads()).toBe(2);
    expect((await (await world.client(12)).ask())?.ip).toBe('10.0.0.12');
  });

  test('a port deleted is not answered any more and its lease is gone', async () => {
    const driver = world.driver();
    await driver.serve(world.wanted([world.port(11), world.port(12)]));
    const [gone, stays] = [await world.client(11), await world.client(12)];
    await gone.ask();
    await stays.ask();
    expect(await world.read('leases')).toContain(' 10.0.0.11 ');
    const pid = await world.pid();
    await driver.serve(world.wanted([world.port(12)]));
    expect(await world.read('leases')).not.toContain(' 10.0.0.11 ');
    expect(await world.read('leases')).toContain(' 10.0.0.12 ');
    expect(await world.pid()).toBe(pid);
    expect(await gone.ask()).toBeUndefined();
  });

  test('an address changed is what the running machine gets when it renews', async () => {
    const driver = world.driver();
    await driver.serve(world.wanted([world.port(11)]));
    const client = await world.client(11);
    expect((await client.boot()).ip).toBe('10.0.0.11');
    const moved = world.port(11, { fixed_ips: [{ subnet_id: 's1', ip_address: '10.0.0.77' }] });
    await driver.serve(world.wanted([moved]));
    expect(await world.read('leases')).not.toContain(' 10.0.0.11 ');
    expect((await client.renew()).told.ip).toBe('10.0.0.77');
  });

  test('an address goes to another MAC, and a MAC to another address, in one change', async () => {
    const driver = world.driver();
    await driver.serve(world.wanted([world.port(11), world.port(12)]));
    const [eleven, twelve] = [await world.client(11), await world.client(12)];
    await eleven.ask();
    await twelve.ask();
    const at = (ip: string) => ({ fixed_ips: [{ subnet_id: 's1', ip_address: ip }] });
    await driver.serve(world.wanted([world.port(11, at('10.0.0.12')), world.port(12, at('10.0.0.99'))]));
    expect((await eleven.ask())?.ip).toBe('10.0.0.12');
    expect((await twelve.ask())?.ip).toBe('10.0.0.99');
  });

  test('a machine whose port got another MAC is answered under the new one at once', async () => {
    const driver = world.driver();
    await driver.serve(world.wanted([world.port(11)]));
    const client = await world.client(11);
    await client.ask();
    await driver.serve(world.wanted([world.port(11, { mac_address: macOf(0x99) })]));
    await client.move(macOf(0x99));
    expect((await client.ask())?.ip).toBe('10.0.0.11');
  });

  test('a lease taken under a client id is the holder’s, whatever its MAC', async () => {
    const driver = world.driver();
    const id = { extra_dhcp_opts: [{ opt_name: 'client-id', opt_value: '01:aa:bb', ip_version: 4 as const }] };
    await driver.serve(world.wanted([world.port(11, id)]));
    const client = await world.client(0x77);
    expect((await client.ask(['-C', '-x', '0x3d:01aabb']))?.ip).toBe('10.0.0.11');
    await driver.serve(world.wanted([world.port(11, id), world.port(12)]));
    expect(await world.read('leases')).toContain(' 10.0.0.11 ');
    await driver.serve(world.wanted([world.port(12)]));
    expect(await world.read('leases')).not.toContain(' 10.0.0.11 ');
  });

  test('leases are released without dhcp_release, too, and many at once', async () => {
    const driver = world.driver();
    const ports = Array.from({ length: 40 }, (_, i) => world.port(i + 11, { status: 'ACTIVE' }));
    await driver.serve(world.wanted(ports));
    expect((await world.read('leases')).trim().split('\n')).toHaveLength(40);
    await driver.serve(world.wanted(ports.slice(0, 20)));
    expect((await world.read('leases')).trim().split('\n')).toHaveLength(20);

    const path = process.env.PATH;
    const programs = ['nsenter', 'dnsmasq', 'grep', 'mv', 'sleep', 'tail'];
    for (const program of programs) {
      const { stdout } = await run(['sh', '-c', `command -v ${program}`]);
      await symlink(stdout.trim(), join(world.state, program));
    }
    process.env.PATH = world.state;
    try {
      await driver.serve(world.wanted(ports.slice(0, 19)));
    } finally {
      process.env.PATH = path;
    }
    expect((await world.read('leases')).trim().split('\n')).toHaveLength(19);
    expect((await (await world.client(11)).ask())?.ip).toBe('10.0.0.11');
  });

  test('another MTU and another subnet restart dnsmasq; leases stay and a machine renews without losing its address', async () => {
    const driver = world.driver();
    await driver.serve(world.wanted([world.port(11)]));
    const client = await world.client(11);
    await client.boot();
    const pid = await world.pid();

    await driver.serve(world.wanted([world.port(11)], { mtu: 1400 }));
    expect(await world.pid()).not.toBe(pid);
    const renewed = await client.renew();
    expect(renewed.events).toEqual(['renew']);
    expect(renewed.told).toMatchObject({ ip: '10.0.0.11', mtu: '1400' });

    const second = world.subnet('s2', '10.0.50.0/24');
    const other = world.port(50, { fixed_ips: [{ subnet_id: 's2', ip_address: '10.0.50.50' }] });
    await driver.serve(world.wanted([world.port(11), other], { mtu: 1400, subnets: [world.subnet(), second] }));
    expect((await (await world.client(50)).ask())?.ip).toBe('10.0.50.50');
    expect((await client.renew()).events).toEqual(['renew']);

    await driver.serve(world.wanted([world.port(11)], { mtu: 1400 }));
    expect(await world.read('leases')).not.toContain('10.0.50.50');
  });

  test('the same network told in another order changes nothing', async () => {
    const driver = world.driver();
    const subnets = [world.subnet(), world.subnet('s2', '10.0.50.0/24')];
    const ports = [world.port(11), world.port(12), world.port(13)];
    await driver.serve(world.wanted(ports, { subnets }));
    const pid = await world.pid();
    await driver.serve(world.wanted(ports.toReversed(), { subnets: subnets.toReversed() }));
    expect(await world.pid()).toBe(pid);
    expect(await world.reads()).toBe(1);
  });

  test('names that try to break out do not keep others from being served, and dnsmasq has nothing to complain about', async () => {
    const named = (n: number, name: string) =>
      world.port(n, {
        dns_assignment: [{ ip_address: `10.0.0.${n}`, hostname: name, fqdn: name }],
        extra_dhcp_opts: [{ opt_name: 'bootfile-name', opt_value: `x${name}`, ip_version: 4 }],
      });
    const names = [
      'a\nb',
      'ignore',
      'infinite',
      '10',
      '1h',
      'é',
      'a,b',
      '-x',
      '_x',
      '"',
      '#',
      ' # x',
      'a b',
      'x'.repeat(2000),
    ];
    await world.driver().serve(world.wanted(names.map((name, i) => named(i + 20, name))));
    const complaints = (await world.read('log')).split('\n').filter((line) => / at line \d+ of /.test(line));
    expect(complaints).toEqual([]);
    expect(world.logged.filter(({ msg }) => String(msg).startsWith('omitted: ')).length).toBeGreaterThan(15);
    expect((await (await world.client(21)).ask())?.ip).toBe('10.0.0.21');
  });

  test('works below a folder that is closed to others', async () => {
    await chmod(world.state, 0o700);
    await world.driver().serve(world.wanted([world.port(11)]));
    expect((await (await world.client(11)).ask())?.ip).toBe('10.0.0.11');
  });

  test('logs where the operator wants it, with what it is asked', async () => {
    const driver = world.driver({ dnsmasq_base_log_dir: join(world.state, 'logs') });
    await driver.serve(world.wanted([world.port(11)]));
    await driver.serve(world.wanted([world.port(11), world.port(12)]));
    await (await world.client(12)).ask();
    const log = await readFile(join(world.state, 'logs', world.id, 'dhcp_dns_log'), 'utf8');
    expect(log).toContain('DHCPACK(tapdhcp) 10.0.0.12');
    expect(log).toContain('requested options');
  });

  test.skipIf(nativeObstacle() !== undefined)(
    'answers are broadcast with dhcp_broadcast_reply alone, for machines that need that',
    async () => {
      const bystander = await world.machine(macOf(0x99));
      const client = await world.client(11);
      await run(['ip', '-n', bystander, 'addr', 'add', '10.0.0.99/24', 'dev', 'eth0']);
      for (const broadcast of [false, true]) {
        await world.driver({ dhcp_broadcast_reply: broadcast }).serve(world.wanted([world.port(11)]));
        const heard = openDeviceSocket(bystander, 'eth0', 68);
        try {
          expect((await client.ask())?.ip).toBe('10.0.0.11');
          // OFFER and ACK, which had come before the machine could configure itself.
          expect(heard.receive().map((packet) => packet[0])).toEqual(broadcast ? [2, 2] : []);
        } finally {
          heard.close();
        }
      }
    },
  );

  test('reads its files for a network with DHCPv6 alone, too', async () => {
    const subnet = world.subnet('s6', 'fd00:1::/64', {
      ip_version: 6,
      gateway_ip: 'fd00:1::1',
      ipv6_address_mode: 'dhcpv6-stateful',
    });
    const port = world.port(11, { fixed_ips: [{ subnet_id: 's6', ip_address: 'fd00:1::11' }] });
    const driver = world.driver();
    await driver.serve(world.wanted([port], { subnets: [subnet] }));
    await driver.serve(
      world.wanted([port, world.port(12, { fixed_ips: [{ subnet_id: 's6', ip_address: 'fd00:1::12' }] })], {
        subnets: [subnet],
      }),
    );
    expect(await world.reads()).toBe(2);
  });
});
