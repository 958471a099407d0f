import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readLeaseFile } from '../../../../../src/agents/dhcp/drivers/dnsmasq/lease-file.ts';
import { isRunning, showProcess } from '../../../../../src/linux/processes.ts';
import { run } from '../../../../../src/linux/run.ts';
import type { PortDocument, SubnetDocument } from '../../../../../src/rpc/documents.ts';
import { waitFor } from '../../../../../src/time/wait.ts';
import { addressOf, advertise, Dhclient, Dhcpcd } from './ipv6-clients.ts';
import { isRoot, macOf, World } from './world.ts';

const PREFIX = 'fd00:6::/64';
const STATEFUL = { ipv6_ra_mode: 'dhcpv6-stateful', ipv6_address_mode: 'dhcpv6-stateful' };
const STATELESS = { ipv6_ra_mode: 'dhcpv6-stateless', ipv6_address_mode: 'dhcpv6-stateless' };
const SLAAC = { ipv6_ra_mode: 'slaac', ipv6_address_mode: 'slaac' };
/** The address that a machine with `macOf(n)` makes itself (RFC 4291, appendix A). */
const eui64 = (n: number): string => `fd00:6::f816:3eff:fe00:${n.toString(16)}`;

describe.skipIf(!isRoot)('IPv6 with real clients and router advertisements (needs root)', () => {
  let world: World;
  beforeEach(async () => {
    world = await World.create();
    await run(['ip', '-n', world.namespace, 'addr', 'add', 'fd00:6::2/64', 'dev', world.device, 'nodad']);
  });
  afterEach(() => world.close());

  const subnets = (modes: Partial<SubnetDocument>): readonly SubnetDocument[] => [
    world.subnet(),
    world.subnet('s6', PREFIX, {
      ip_version: 6,
      gateway_ip: 'fd00:6::1',
      dns_nameservers: ['fd00:6::53', 'fd00:6::54'],
      ...modes,
    }),
  ];
  const port = (n: number, addresses: readonly string[], more: Partial<PortDocument> = {}): PortDocument =>
    world.port(n, { fixed_ips: addresses.map((ip_address) => ({ subnet_id: 's6', ip_address })), ...more });
  const bootUrl = {
    extra_dhcp_opts: [{ opt_name: 'bootfile-url', opt_value: 'http://[fd00:6::5]/x', ip_version: 6 as const }],
  };
  /** Address, IAID and DUID of each DHCPv6 lease, after the server's own DUID. */
  const leases6 = async () => {
    // dnsmasq rewrites the file in place, for each lease.
    const server = await showProcess(await world.pid());
    const text = server && (await readLeaseFile(join(world.folder, 'leases'), server));
    const lines = (text ?? '').trim().split('\n');
    return lines.slice(lines.findIndex((line) => line.startsWith('duid '))).map((line) => line.replace(/^\d+ /, ''));
  };
  const logged = (text: string) =>
    waitFor(`dnsmasq to log ${text}`, async () => (await world.read('log')).includes(text), 10_000);

  test('stateful: dhclient and dhcpcd get the address of the port, DNS servers and the domain to search', async () => {
    await advertise(world, PREFIX, ['managed', 'other']);
    const ports = [port(0x11, ['fd00:6::a:11']), port(0x12, ['fd00:6::a:12'])];
    await world.driver().serve(world.wanted(ports, { subnets: subnets(STATEFUL) }));

    const dhclient = await (await Dhclient.create(world, macOf(0x11))).ask();
    expect(dhclient).toMatchObject({
      reason: 'BOUND6',
      new_ip6_address: 'fd00:6::a:11',
      new_dhcp6_name_servers: 'fd00:6::53 fd00:6::54',
      new_dhcp6_domain_search: 'openstacklocal.',
    });
    const dhcpcd = await Dhcpcd.create(world, macOf(0x12));
    expect(await dhcpcd.boot('BOUND6')).toMatchObject({
      new_dhcp6_ia_na1_ia_addr1: 'fd00:6::a:12',
      new_dhcp6_ia_na1_ia_addr1_vltime: '86400',
      new_dhcp6_name_servers: 'fd00:6::53 fd00:6::54',
      new_dhcp6_domain_search: 'openstacklocal',
    });
    expect(await addressOf(dhcpcd.namespace, 'fd00:6:')).toBe('fd00:6::a:12');
  });

  test('a machine without a port gets no address', async () => {
    await world.driver().serve(world.wanted([port(0x11, ['fd00:6::a:11'])], { subnets: subnets(STATEFUL) }));
    const stranger = await Dhclient.create(world, macOf(0x77));
    const answer = stranger.ask();
    await Promise.race([answer, logged('no addresses available')]);
    expect((await (await Dhclient.create(world, macOf(0x11))).ask()).new_ip6_address).toBe('fd00:6::a:11');
    expect(await leases6()).toEqual([expect.stringMatching(/^duid /), expect.stringContaining(' fd00:6::a:11 ')]);
    stranger.stop();
  });

  test('leases, IAIDs and the DUID of the server outlive the agent, dnsmasq and both; machines renew and rebind', async () => {
    await advertise(world, PREFIX, ['managed', 'other']);
    const ports = [port(0x11, ['fd00:6::a:11'])];
    const wanted = (mtu = 1450) => world.wanted(ports, { subnets: subnets(STATEFUL), mtu });
    await world.driver().serve(wanted());
    const client = await Dhcpcd.create(world, macOf(0x11));
    const bound = await client.boot('BOUND6');
    const before = await leases6();
    expect(before).toHaveLength(2);
    const same = async (told: Awaited<ReturnType<Dhcpcd['renew']>>) => {
      expect(told).toMatchObject({
        new_dhcp6_ia_na1_ia_addr1: 'fd00:6::a:11',
        new_dhcp6_ia_na1_iaid: bound.new_dhcp6_ia_na1_iaid,
        new_dhcp6_server_id: bound.new_dhcp6_server_id,
      });
      expect(await leases6()).toEqual(before);
    };
    const pid = await world.pid();

    // The agent alone.
    await world.driver().serve(wanted());
    expect(await world.pid()).toBe(pid);
    await same(await client.renew());

    // dnsmasq alone, which dies.
    const killed = await showProcess(pid);
    process.kill(pid, 'SIGKILL');
    await waitFor('dnsmasq to end', () => killed && !isRunning(killed), 5_000);
    const third = world.driver();
    await third.serve(wanted());
    expect(await world.pid()).not.toBe(pid);
    await same(await client.renew());

    // dnsmasq is replaced, because its command line changes.
    const second = await world.pid();
    await third.serve(wanted(1400));
    expect(await world.pid()).not.toBe(second);
    await same(await client.renew());
    await same(await client.rebind());
    expect(await world.read('log')).toMatch(/DHCPREBIND.*\n(.*\n)*?.*DHCPREPLY.* fd00:6::a:11 /);
    expect(await world.read('log')).not.toContain('no binding found');
  });

  test('a machine keeps its addresses when its network moves to an agent that knows no lease', async () => {
    await advertise(world, PREFIX, ['managed', 'other']);
    const both = [
      { subnet_id: 's6', ip_address: 'fd00:6::a:11' },
      { subnet_id: 's1', ip_address: '10.0.0.17' },
    ];
    const wanted = world.wanted(
      [world.port(0x11, { fixed_ips: both, status: 'ACTIVE' }), port(0x12, ['fd00:6::a:12'])],
      {
        subnets: subnets(STATEFUL),
      },
    );
    const first = world.driver();
    await first.serve(wanted);
    const client = await Dhcpcd.create(world, macOf(0x11));
    const bound = await client.boot('BOUND6');
    const four = await world.client(0x11);
    expect((await four.boot()).ip).toBe('10.0.0.17');
    await first.stop(world.id);

    const dhcp_confs = join(world.state, 'other-host');
    await world.driver({ dhcp_confs }).serve(wanted);
    const leases = async () => readFile(join(dhcp_confs, world.id, 'leases'), 'utf8');
    expect(await leases()).not.toContain('fd00:6::a:11');
    const kept = await client.rebind();
    expect(kept).toMatchObject({
      new_dhcp6_ia_na1_ia_addr1: 'fd00:6::a:11',
      new_dhcp6_ia_na1_iaid: bound.new_dhcp6_ia_na1_iaid,
    });
    await waitFor('the lease at the next server', async () => (await leases()).includes(' fd00:6::a:11 '), 10_000);
    const server = /^duid (.*)$/m.exec(await leases())?.[1]?.replaceAll(':', '');
    expect(server).not.toBe(bound.new_dhcp6_server_id);
    expect((await (await Dhclient.create(world, macOf(0x12))).ask()).new_ip6_address).toBe('fd00:6::a:12');
    // IPv4: the server is at the same address, and the lease was seeded.
    const renewed = await four.renew();
    expect([renewed.events, renewed.told.ip]).toEqual([['renew'], '10.0.0.17']);
  });

  test('stateless: machines make their address themselves, and are told the rest, and options of the port', async () => {
    await advertise(world, PREFIX, ['other', 'autonomous']);
    const ports = [port(0x11, [eui64(0x11)], bootUrl), port(0x12, [eui64(0x12)])];
    await world.driver().serve(world.wanted(ports, { subnets: subnets(STATELESS) }));

    const dhcpcd = await Dhcpcd.create(world, macOf(0x12));
    expect(await dhcpcd.boot('INFORM6')).toMatchObject({ new_dhcp6_name_servers: 'fd00:6::53 fd00:6::54' });
    expect(await addressOf(dhcpcd.namespace, 'fd00:6:')).toBe(eui64(0x12));
    const dhclient = await Dhclient.create(world, macOf(0x11));
    expect(await addressOf(dhclient.namespace, 'fd00:6:')).toBe(eui64(0x11));
    expect(await dhclient.ask({ stateless: true, request: ['bootfile-url'] })).toMatchObject({
      new_dhcp6_name_servers: 'fd00:6::53 fd00:6::54',
      new_dhcp6_domain_search: 'openstacklocal.',
      new_dhcp6_bootfile_url: 'http://[fd00:6::5]/x',
    });
    expect(await world.read('leases')).not.toContain(' fd00:6:');
  });

  test('SLAAC: machines make their address themselves; nothing answers DHCPv6, and IPv4 works beside it', async () => {
    await advertise(world, PREFIX, ['autonomous']);
    const fixed_ips = [
      { subnet_id: 's6', ip_address: eui64(0x11) },
      { subnet_id: 's1', ip_address: '10.0.0.17' },
    ];
    await world.driver().serve(world.wanted([world.port(0x11, { fixed_ips })], { subnets: subnets(SLAAC) }));
    const client = await world.client(0x11);
    expect((await client.ask())?.ip).toBe('10.0.0.17');
    expect(await addressOf(client.namespace, 'fd00:6:')).toBe(eui64(0x11));
    const { stdout } = await run(['nsenter', `--net=/run/netns/${world.namespace}`, 'ss', '-Hlun']);
    expect(stdout).toMatch(/:67\s/);
    expect(stdout).not.toMatch(/:547\s/);
  });

  test('several addresses of a port: each boot with another DUID gets one of them, with dnsmasq_enable_addr6_list', async () => {
    const ports = [port(0x11, ['fd00:6::a:11', 'fd00:6::a:12'])];
    const driver = world.driver({ dnsmasq_enable_addr6_list: true });
    await driver.serve(world.wanted(ports, { subnets: subnets(STATEFUL) }));
    expect(await world.read('host')).toContain(',[fd00:6::a:11],[fd00:6::a:12]\n');
    const client = await Dhclient.create(world, macOf(0x11));
    const told = [await client.ask(), await client.ask({ reinstalled: true })];
    expect(told.map((one) => one.new_ip6_address).sort()).toEqual(['fd00:6::a:11', 'fd00:6::a:12']);
    expect(new Set(told.map((one) => one.new_dhcp6_client_id)).size).toBe(2);
  });
});
