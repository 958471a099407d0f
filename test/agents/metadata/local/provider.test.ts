import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { machineSource } from '../../../../src/agents/metadata/local/machine-source.ts';
import { LocalMetadata } from '../../../../src/agents/metadata/local/provider.ts';
import type { RpcTransport } from '../../../../src/rpc/contract.ts';
import { NoSuchMethod } from '../../../../src/rpc/errors.ts';
import { createServedWorld, type ServedWorld } from '../../../endpoints/agents.ts';
import { ADMIN } from '../../../plugin/world.ts';

const log = pino({ level: 'silent' });
const KEY = `ssh-ed25519 ${'A'.repeat(68)} me@home`;
const ID = '8a0a5ad3-6d1b-4c27-b6f6-9d2f2b5f2a10';

let world: ServedWorld;
let provider: LocalMetadata;
let network: string;
let first: Readonly<Record<string, unknown>> & { readonly id: string };

const providerOver = (transport: RpcTransport) =>
  new LocalMetadata({ source: machineSource({ transport, timeoutMs: 5_000 }), domain: 'example.org', log });

beforeEach(async () => {
  world = await createServedWorld({ DEFAULT: { dns_domain: 'example.org' } });
  network = await world.network({ project_id: 'p1' });
  await world.subnet(network, '10.0.0.0/24', { dns_nameservers: ['9.9.9.9'] });
  first = await world.port(network, {
    ...{ device_id: ID, project_id: 'p1', name: 'port one', fixed_ips: [{ ip_address: '10.0.0.5' }] },
  });
  provider = providerOver(world.transport);
});
afterEach(() => world.close());

const instance = { id: ID, project: 'p1' };
interface Ask {
  readonly method?: string;
  readonly body?: string;
  readonly by?: LocalMetadata;
  readonly of?: typeof instance;
}

async function ask(path: string, { method = 'GET', body, by = provider, of = instance }: Ask = {}) {
  const { signal } = new AbortController();
  const passed = { method, path, body: body === undefined ? null : Buffer.from(body) };
  const answer = await by.answer({ ...passed, instance: of, address: '10.0.0.5', signal });
  const sent = await text(Buffer.isBuffer(answer.body) ? Readable.from([answer.body]) : answer.body);
  return { type: answer.headers['content-type'], text: sent };
}
const textOf = async (path: string, more?: Ask) => (await ask(path, more)).text;
const json = async (path: string, more?: Ask) => JSON.parse(await textOf(path, more)) as Record<string, unknown>;
const store = (values: object) => world.of('machine').create(ADMIN, [{ device_id: ID, project_id: 'p1', ...values }]);

describe('EC2', () => {
  const VERSIONS =
    '1.0\n2007-01-19\n2007-03-01\n2007-08-29\n2007-10-10\n2007-12-15\n2008-02-01\n2008-09-01\n2009-04-04\nlatest';

  it('is listed as by Nova', async () => {
    await store({ name: 'Web 1', user_data: 'aGk=', public_keys: { 'my key': KEY, b: KEY } });
    const expected: readonly (readonly [string, string])[] = [
      ['/', VERSIONS],
      ['/?x=/openstack', VERSIONS],
      ['/ec2', VERSIONS],
      ['/latest', 'meta-data/\nuser-data'],
      ['/2009-04-04//', 'meta-data/\nuser-data'],
      [
        '/latest/meta-data/',
        'ami-id\nami-launch-index\nami-manifest-path\nblock-device-mapping/\nhostname\ninstance-action\ninstance-id\n' +
          'instance-type\nlocal-hostname\nlocal-ipv4\nplacement/\npublic-hostname\npublic-ipv4\npublic-keys/\n' +
          'reservation-id\nsecurity-groups',
      ],
      [
        '/1.0/meta-data',
        'ami-id\nami-launch-index\nami-manifest-path\nhostname\ninstance-id\nlocal-ipv4\npublic-keys/\nreservation-id\n' +
          'security-groups',
      ],
      ['/latest/meta-data/instance-id', ID],
      ['/latest/meta-data/hostname', 'web-1.example.org'],
      ['/latest/meta-data/local-hostname', 'web-1.example.org'],
      ['/latest/meta-data/local-ipv4', '10.0.0.5'],
      ['/latest/meta-data/public-ipv4', ''],
      ['/latest/meta-data/security-groups', 'default'],
      ['/latest/meta-data/placement/', 'availability-zone'],
      ['/latest/meta-data/placement/availability-zone', 'nova'],
      ['/latest/meta-data/public-keys/', '0=my key\n1=b'],
      ['/latest/meta-data/public-keys/0', 'openssh-key'],
      ['/latest/meta-data/public%2Dkeys/1/openssh-key', KEY],
      ['/latest/user-data', 'hi'],
      ['/ec2/2007-01-19/user-data', 'hi'],
    ];
    for (const [path, expectedText] of expected)
      expect(await ask(path), path).toEqual({ type: 'text/plain; charset=UTF-8', text: expectedText });
  });

  it('has neither keys nor user data if there are none', async () => {
    expect(await textOf('/latest')).toBe('meta-data/');
    expect(await textOf('/latest/meta-data')).not.toContain('public-keys');
    for (const path of ['/latest/user-data', '/latest/meta-data/public-keys/'])
      await expect(ask(path)).rejects.toMatchObject({ status: 404 });
  });
});

describe('OpenStack', () => {
  it('is listed as by Nova, also by version', async () => {
    expect(await textOf('/openstack/')).toBe(
      '2012-08-10\n2013-04-04\n2013-10-17\n2015-10-15\n2016-06-30\n2016-10-06\n2017-02-22\n2018-08-27\n2020-10-14\nlatest',
    );
    expect(await textOf('/openstack/2012-08-10')).toBe('meta_data.json');
    await store({ user_data: 'aGk=' });
    provider = providerOver(world.transport);
    expect(await textOf('/openstack/2013-10-17')).toBe('meta_data.json\nuser_data\npassword\nvendor_data.json');
    expect(await textOf('/openstack/latest/')).toBe(
      'meta_data.json\nuser_data\npassword\nvendor_data.json\nnetwork_data.json\nvendor_data2.json',
    );
  });

  it('has meta_data.json as the version had it', async () => {
    await store({ name: 'Web 1', public_keys: { k: KEY } });
    const oldest = {
      uuid: ID,
      public_keys: { k: KEY },
      keys: [{ name: 'k', type: 'ssh', data: KEY }],
      hostname: 'web-1.example.org',
      name: 'Web 1',
      launch_index: 0,
      availability_zone: 'nova',
    };
    expect(await json('/openstack/2012-08-10/meta_data.json')).toEqual(oldest);
    const { random_seed, ...newest } = await json('/openstack/latest/meta_data.json');
    expect(newest).toEqual({ ...oldest, project_id: 'p1', devices: [], dedicated_cpus: [] });
    expect(Buffer.from(String(random_seed), 'base64')).toHaveLength(512);
    expect((await json('/openstack/latest/meta_data.json')).random_seed).not.toBe(random_seed);
    expect((await ask('/openstack/latest/meta_data.json')).type).toBe('application/json');
  });

  it('has user data, and the vendor data of an unconfigured Nova', async () => {
    const bytes = Buffer.from([0, 255, 10, 13]);
    await store({ user_data: bytes.toString('base64') });
    const { signal } = new AbortController();
    const request = { method: 'GET', path: '/openstack/latest/user_data', body: null, address: '10.0.0.5', signal };
    expect((await provider.answer({ ...request, instance })).body).toEqual(bytes);
    expect(await json('/openstack/latest/vendor_data.json')).toEqual({});
    expect(await json('/openstack/latest/vendor_data2.json')).toEqual({ static: {} });
    await expect(ask('/openstack/2015-10-15/vendor_data2.json')).rejects.toMatchObject({ status: 404 });
  });

  it('takes a password once, which the project sees', async () => {
    const path = '/openstack/latest/password';
    expect(await textOf(path)).toBe('');
    await expect(ask(path, { method: 'POST', body: 'x'.repeat(1_021) })).rejects.toMatchObject({ status: 400 });
    await expect(ask(path, { method: 'PUT', body: 'x' })).rejects.toMatchObject({ status: 400 });
    expect(await textOf(path, { method: 'POST', body: '' })).toBe('');
    await expect(ask(path, { method: 'POST', body: 'a\u0000b' })).rejects.toMatchObject({ status: 400 });
    expect(await textOf(path, { method: 'POST', body: 'geheim\n' })).toBe('');
    await expect(ask(path, { method: 'POST', body: 'x' })).rejects.toMatchObject({ status: 409 });
    expect(await textOf(path)).toBe('geheim\n');
    const [shown] = await world.of('machine').list(ADMIN, { filters: {}, sorts: [], pageReverse: false });
    expect(shown).toMatchObject({ device_id: ID, password: 'geheim\n' });
  });

  it('of several agents that store a password at once, one does', async () => {
    const path = '/openstack/latest/password';
    const bodies = Array.from({ length: 8 }, (_, i) => `p${i}`);
    const done = await Promise.allSettled(
      bodies.map((body) => ask(path, { method: 'POST', body, by: providerOver(world.transport) })),
    );
    const stored = bodies.filter((_, i) => done[i]?.status === 'fulfilled');
    expect(stored).toEqual([await textOf(path, { by: providerOver(world.transport) })]);
  });
});

describe('network_data.json', () => {
  it('has a link for each port, DHCP or addresses as the subnet says, routes and DNS', async () => {
    const other = await world.network({ project_id: 'p1' });
    const routes = [{ destination: '192.168.0.0/16', nexthop: '10.1.0.9' }];
    await world.subnet(other, '10.1.0.0/20', {
      ...{ enable_dhcp: false, host_routes: routes, dns_nameservers: ['9.9.9.9', '1.1.1.1'] },
    });
    const modes = { ip_version: 6, ipv6_address_mode: 'slaac', ipv6_ra_mode: 'slaac' };
    await world.subnet(other, '2001:db8::/64', { ...modes, gateway_ip: null });
    const second = await world.port(other, { device_id: ID, project_id: 'p1', mac_address: 'fa:16:3e:00:00:01' });
    const third = await world.network({ project_id: 'p1' });
    await world.subnet(third, '10.2.0.0/24', { enable_dhcp: false, gateway_ip: null });
    const last = await world.port(third, { device_id: ID, project_id: 'p1' });
    await world.port(await world.network({ project_id: 'p1' }), { device_id: ID, project_id: 'p1' });
    const link = ({ id }: { readonly id: string }) => `tap${id.slice(0, 11)}`;
    const address = (port: Readonly<Record<string, unknown>>, at: number) =>
      (port.fixed_ips as { ip_address: string }[]).map((ip) => ip.ip_address).sort()[at];
    const data = await json('/openstack/latest/network_data.json');
    const dns = (...addresses: string[]) => addresses.map((one) => ({ type: 'dns', address: one }));
    expect(data).toEqual({
      links: [first, second, last].map((port, i) => ({
        id: link(port),
        vif_id: port.id,
        type: 'phy',
        mtu: i === 2 ? 1450 : null,
        ethernet_mac_address: (port as { mac_address?: unknown }).mac_address,
      })),
      networks: [
        { id: 'network0', type: 'ipv4_dhcp', link: link(first), network_id: network },
        {
          ...{ id: 'network1', type: 'ipv4', link: link(second), ip_address: address(second, 0) },
          netmask: '255.255.240.0',
          routes: [
            { network: '0.0.0.0', netmask: '0.0.0.0', gateway: '10.1.0.1' },
            { network: '192.168.0.0', netmask: '255.255.0.0', gateway: '10.1.0.9' },
          ],
          services: dns('9.9.9.9', '1.1.1.1'),
          network_id: other,
        },
        {
          ...{ id: 'network2', type: 'ipv6_slaac', link: link(second), ip_address: '2001:db8::f816:3eff:fe00:1' },
          ...{ netmask: 'ffff:ffff:ffff:ffff::', routes: [], services: [], network_id: other },
        },
        {
          ...{ id: 'network3', type: 'ipv4', link: link(last), ip_address: address(last, 0) },
          ...{ netmask: '255.255.255.0', routes: [], services: [], network_id: third },
        },
      ],
      services: dns('9.9.9.9', '1.1.1.1'),
    });
    expect((await ask('/openstack/2012-08-10/network_data.json')).type).toBe('text/plain; charset=UTF-8');
  });
});

describe('the name of a machine', () => {
  const names = async () => {
    const { hostname, name } = await json('/openstack/latest/meta_data.json', { by: providerOver(world.transport) });
    return [hostname, name];
  };

  it('is that of its port, its own, or dns_name, the last one first', async () => {
    expect(await names()).toEqual(['port-one.example.org', 'port one']);
    await world.updatePort(first.id, { name: '' });
    expect(await names()).toEqual(['host-10-0-0-5.example.org', 'host-10-0-0-5']);
    await store({ name: 'Wéb_1' });
    expect(await names()).toEqual(['web-1.example.org', 'Wéb_1']);
    await world.updatePort(first.id, { dns_name: 'db' });
    expect(await names()).toEqual(['db.example.org', 'Wéb_1']);
  });
});

describe('what is not there', () => {
  it.each([
    ...['/x', '/latest/x', '/latest/meta-data/x', '/latest/meta-data/hostname/x', '/latest/meta-data/toString'],
    ...['/openstack/x', '/openstack/latest/x', '/openstack/latest/meta_data.json/x', '/openstack/latest/toString'],
    ...['/latest/api/token', '/constructor', '/openstack/content/0000', '/2013-04-04', '/openstack/1.0'],
    ...[
      '/latest/../openstack',
      '/latest/%2e%2e/openstack',
      '/..%2f..%2fetc/passwd',
      '/./latest',
      `/${'x'.repeat(100_000)}`,
    ],
  ])('answers %.40s with 404', async (path) => {
    await expect(ask(path)).rejects.toMatchObject({ status: 404 });
  });

  it.each(['/latest/%00', '/latest/%0a', '/%7f', '/%ff', '/%', '/latest/%e2%82'])(
    'answers %s with 400',
    async (path) => {
      await expect(ask(path)).rejects.toMatchObject({ status: 400 });
    },
  );

  it('answers a machine without ports with 404, and other methods with 405', async () => {
    await expect(ask('/', { of: { id: ID, project: 'p2' } })).rejects.toMatchObject({ status: 404 });
    await expect(ask('/', { of: { id: 'x', project: 'p1' } })).rejects.toMatchObject({ status: 404 });
    for (const method of ['POST', 'DELETE'])
      await expect(ask('/latest/meta-data/hostname', { method })).rejects.toMatchObject({ status: 405 });
  });

  it('is what belongs to another project, although its port has the same device_id', async () => {
    await world.port(network, { device_id: ID, project_id: 'p2', name: 'p2 port' });
    await world.of('machine').create(ADMIN, [{ device_id: ID, project_id: 'p2', user_data: 'cDI=' }]);
    await store({ user_data: 'cDE=' });
    expect(await textOf('/latest/user-data')).toBe('p1');
    expect((await json('/openstack/latest/network_data.json')).links).toHaveLength(1);
    expect(await textOf('/latest/user-data', { of: { id: ID, project: 'p2' } })).toBe('p2');
  });
});

describe('under a stock server', () => {
  it('answers from the ports alone, stores no password, and asks for the missing method once', async () => {
    const asked: string[] = [];
    const stock: Pick<RpcTransport, 'call'> = {
      async call(target, method, args, options) {
        asked.push(method);
        if (method !== 'get_ports') throw new NoSuchMethod(method);
        return world.transport.call(target, method, args, options);
      },
    };
    const by = providerOver(stock as RpcTransport);
    expect(await textOf('/latest/meta-data/local-ipv4', { by })).toBe('10.0.0.5');
    expect((await json('/openstack/latest/network_data.json', { by })).networks).toEqual([
      { id: 'network0', type: 'ipv4_dhcp', link: `tap${first.id.slice(0, 11)}`, network_id: network },
    ]);
    await expect(ask('/openstack/latest/password', { by, method: 'POST', body: 'x' })).rejects.toMatchObject({
      status: 404,
    });
    await expect(ask('/', { by, of: { id: ID, project: 'p2' } })).rejects.toMatchObject({ status: 404 });
    expect(asked.filter((method) => method !== 'get_ports')).toEqual(['get_machine']);
  });

  it('answers 503 while no server answers', async () => {
    const away: Pick<RpcTransport, 'call'> = { call: () => Promise.reject(new Error('away')) };
    await expect(ask('/', { by: providerOver(away as RpcTransport) })).rejects.toMatchObject({ status: 503 });
  });
});
