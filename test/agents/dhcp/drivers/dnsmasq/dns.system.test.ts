import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { run } from '../../../../../src/linux/run.ts';
import { setSysctls } from '../../../../../src/linux/sysctl.ts';
import { waitFor } from '../../../../../src/time/wait.ts';
import { isRoot, macOf, World } from './world.ts';

const SERVERS = ['10.0.0.2', 'fd00:6::2'];
const ADDRESSES = ['10.0.0.11', 'fd00:6::a:11'];
const INSIDE = ['10.0.0.30/24', 'fd00:6::30/64'];

describe.skipIf(!isRoot)('DNS of a network (needs root)', () => {
  let world: World;
  beforeEach(async () => {
    world = await World.create();
    await run(['ip', '-n', world.namespace, 'addr', 'add', 'fd00:6::2/64', 'dev', world.device, 'nodad']);
  });
  afterEach(() => world.close());

  /** A machine with addresses of its own. */
  async function machine(n: number, addresses: readonly string[]): Promise<string> {
    const namespace = await world.machine(macOf(n));
    for (const one of addresses) await run(['ip', '-n', namespace, 'addr', 'add', one, 'dev', 'eth0', 'nodad']);
    return namespace;
  }
  const inside = (namespace: string, ...command: readonly string[]) =>
    run(['nsenter', `--net=/run/netns/${namespace}`, '--', ...command], { okCodes: [0, 1] });
  /** Asks once, in reverse of an address with type `ptr`; returns all that was answered, or '' without an answer. */
  async function ask(namespace: string, type: string, name: string, server: string): Promise<string> {
    const { stdout, exitCode } = await inside(
      namespace,
      ...['busybox', 'nslookup', '-timeout=2', '-retry=1', ...(type === 'ptr' ? [] : [`-type=${type}`]), name, server],
    );
    return exitCode === 0 ? stdout.slice(stdout.indexOf('\n\n')) : '';
  }
  const port = () =>
    world.port(11, {
      fixed_ips: [
        { subnet_id: 's1', ip_address: '10.0.0.11' },
        { subnet_id: 's6', ip_address: 'fd00:6::a:11' },
      ],
      dns_assignment: ADDRESSES.map((ip_address) => ({ ip_address, hostname: 'vm-1', fqdn: 'vm-1.example.org.' })),
    });
  const wanted = (mode = 'slaac') =>
    world.wanted([port(), world.port(12)], {
      subnets: [
        world.subnet(),
        world.subnet('s6', 'fd00:6::/64', {
          ip_version: 6,
          gateway_ip: 'fd00:6::1',
          ipv6_ra_mode: mode,
          ipv6_address_mode: mode,
        }),
      ],
    });

  test.each(SERVERS)(
    '%s answers for every port by name and in reverse, before it has asked for a lease',
    async (server) => {
      await world.driver({ dns_domain: 'example.org' }).serve(wanted());
      const client = await machine(30, INSIDE);
      for (const name of ['vm-1', 'vm-1.example.org']) {
        expect(await ask(client, 'a', name, server)).toMatch(/Address: 10\.0\.0\.11\n/);
        expect(await ask(client, 'aaaa', name, server)).toMatch(/Address: fd00:6::a:11\n/);
      }
      for (const address of ADDRESSES)
        expect(await ask(client, 'ptr', address, server)).toMatch(/name = vm-1\.example\.org\n/);
      expect(await ask(client, 'a', 'host-10-0-0-12.example.org', server)).toMatch(/Address: 10\.0\.0\.12\n/);
      expect(await ask(client, 'ptr', '10.0.0.12', server)).toMatch(/name = host-10-0-0-12\.example\.org\n/);
      // Nobody to ask, and it is not asked of the host's resolver.
      expect(await ask(client, 'a', 'elsewhere.test', server)).toBe('');
    },
  );

  test('a name changed, and one of a deleted port, are answered at once', async () => {
    const driver = world.driver({ dns_domain: 'example.org' });
    await driver.serve(wanted());
    const client = await machine(30, INSIDE);
    const names = { ip_address: '10.0.0.12', hostname: 'twelve', fqdn: 'twelve.example.org.' };
    await driver.portsChanged(world.id, { set: [world.port(12, { dns_assignment: [names] })], removed: [port().id] });
    expect(await ask(client, 'a', 'twelve.example.org', '10.0.0.2')).toMatch(/Address: 10\.0\.0\.12\n/);
    expect(await ask(client, 'ptr', '10.0.0.12', '10.0.0.2')).toMatch(/name = twelve\.example\.org\n/);
    expect(await ask(client, 'a', 'vm-1.example.org', '10.0.0.2')).toBe('');
    expect(await ask(client, 'ptr', '10.0.0.11', '10.0.0.2')).toBe('');
  });

  /** A resolver at 10.0.0.40 that knows a name, and a machine that asks. */
  async function resolver(): Promise<string> {
    const namespace = await machine(40, ['10.0.0.40/24']);
    const files = [`--pid-file=${join(world.state, 'resolver.pid')}`, '--conf-file=/dev/null', '--user=root'];
    const alone = ['--keep-in-foreground', '--no-hosts', '--no-resolv'];
    world.spawn([
      'nsenter',
      ...[`--net=/run/netns/${namespace}`, '--', 'dnsmasq', ...alone],
      ...['--address=/elsewhere.test/192.0.2.7', ...files],
    ]);
    const client = await machine(30, INSIDE);
    await waitFor('the test resolver', async () => ask(client, 'a', 'elsewhere.test', '10.0.0.40'), 10_000);
    return client;
  }

  test('other names are forwarded to dnsmasq_dns_servers, and only there', async () => {
    const client = await resolver();
    await world.driver({ dns_domain: 'example.org', dnsmasq_dns_servers: ['10.0.0.40'] }).serve(wanted());
    for (const server of SERVERS) {
      expect(await ask(client, 'a', 'elsewhere.test', server)).toMatch(/Address: 192\.0\.2\.7\n/);
      expect(await ask(client, 'a', 'vm-1.example.org', server)).toMatch(/Address: 10\.0\.0\.11\n/);
    }
  });

  test('other names go to the resolvers of the host with dnsmasq_local_resolv alone', async () => {
    const client = await resolver();
    // In place of the /etc/resolv.conf of this machine.
    const [file, resolvers] = [join(world.state, 'operator.conf'), join(world.state, 'resolv.conf')];
    await writeFile(resolvers, 'nameserver 10.0.0.40\n');
    await writeFile(file, `resolv-file=${resolvers}\n`);
    await world.driver({ dnsmasq_config_file: file }).serve(wanted());
    expect(await ask(client, 'a', 'elsewhere.test', '10.0.0.2')).toBe('');
    await world.driver({ dnsmasq_config_file: file, dnsmasq_local_resolv: true }).serve(wanted());
    expect(await ask(client, 'a', 'elsewhere.test', '10.0.0.2')).toMatch(/Address: 192\.0\.2\.7\n/);
  });

  test('dnsmasq_txt_record is answered, and a new one replaces it', async () => {
    const client = await machine(30, INSIDE);
    for (const told of ['is well', 'is better']) {
      await world.driver({ dnsmasq_txt_record: `health.internal,${told}` }).serve(wanted());
      expect(await ask(client, 'txt', 'health.internal', '10.0.0.2')).toContain(`text = "${told}"`);
    }
  });

  test('is no open resolver: from outside its subnets, which reach it, nobody is answered', async () => {
    await world.driver({ dns_domain: 'example.org' }).serve(wanted());
    const router = await machine(1, ['10.0.0.1/24', '10.9.0.1/24', 'fd00:6::1/64', 'fd00:9::1/64']);
    await setSysctls({ 'net/ipv4/ip_forward': 1, 'net/ipv6/conf/all/forwarding': 1 }, { namespace: router });
    const outside = await machine(50, ['10.9.0.5/24', 'fd00:9::5/64']);
    const route = (namespace: string, to: string, via: string) =>
      run(['ip', '-n', namespace, 'route', 'add', to, 'via', via]);
    await route(outside, '10.0.0.0/24', '10.9.0.1');
    await route(outside, 'fd00:6::/64', 'fd00:9::1');
    await route(world.namespace, '10.9.0.0/24', '10.0.0.1');
    await route(world.namespace, 'fd00:9::/64', 'fd00:6::1');

    for (const server of SERVERS) {
      expect((await inside(outside, 'ping', '-c', '1', '-W', '5', server)).exitCode).toBe(0);
      expect(await ask(outside, 'a', 'vm-1.example.org', server)).toBe('');
      expect(await ask(router, 'a', 'vm-1.example.org', server)).toMatch(/Address: 10\.0\.0\.11\n/);
    }
    expect(await world.read('log')).toMatch(/ignoring query from non-local network 10\.9\.0\.5/);
  });
});
