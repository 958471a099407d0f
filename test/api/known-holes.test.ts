import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CallersApi, openCallersApi } from '../support/callers.ts';

// biome-ignore lint/suspicious/noControlCharactersInRegex: the pattern matches control characters on purpose
const CONTROL = /[\u0000-\u001f]/;

/** Holes that other servers of this API had, by their numbers. Further ones: rooms of their resources (grep for CVE). */

let api: CallersApi;
let network: { readonly id: string };
let port: { readonly id: string; readonly network_id: string };
beforeAll(async () => {
  api = await openCallersApi();
  network = await api.create('/networks', 'network', {}, 'p1');
  await api.create('/subnets', 'subnet', { network_id: network.id, ip_version: 4, cidr: '10.0.0.0/24' }, 'p1');
  port = await api.create('/ports', 'port', { network_id: network.id }, 'p1');
});
afterAll(() => api.close());

describe('text that reaches a file (CVE-2021-40085)', () => {
  const broken = ['a\nb', 'a\r\nb', 'a\u0000b', 'a\u0085b', 'a\u2028b', '\n', 'a\n'];
  test.each([
    [
      'the name of a DHCP option',
      '/ports',
      'port',
      (t: string) => ({ extra_dhcp_opts: [{ opt_name: t, opt_value: 'v' }] }),
    ],
    [
      'the value of a DHCP option',
      '/ports',
      'port',
      (t: string) => ({ extra_dhcp_opts: [{ opt_name: 'server-ip-address', opt_value: t }] }),
    ],
    ['a host name', '/ports', 'port', (t: string) => ({ dns_name: t })],
    ['a domain', '/networks', 'network', (t: string) => ({ dns_domain: t })],
    [
      'a name server',
      '/subnets',
      'subnet',
      (t: string) => ({ ip_version: 4, cidr: '10.1.0.0/24', dns_nameservers: [t] }),
    ],
    [
      'a route',
      '/subnets',
      'subnet',
      (t: string) => ({ ip_version: 4, cidr: '10.1.0.0/24', host_routes: [{ destination: t, nexthop: '10.1.0.9' }] }),
    ],
    ['a host', '/ports', 'port', (t: string) => ({ 'binding:host_id': t })],
    ['a device', '/ports', 'port', (t: string) => ({ device_id: t })],
    ['the owner of a device', '/ports', 'port', (t: string) => ({ device_owner: t })],
    ['an availability zone', '/networks', 'network', (t: string) => ({ availability_zone_hints: [t] })],
    [
      'a physical network',
      '/networks',
      'network',
      (t: string) => ({ 'provider:network_type': 'flat', 'provider:physical_network': t }),
    ],
  ])('%s contains no line break', async (_what, path, name, valuesOf) => {
    for (const text of broken) {
      const values = { ...(name === 'network' ? {} : { network_id: network.id }), ...valuesOf(text) };
      const answer = await api.ask('POST', path, { [name]: values });
      // Characters that end no line in a file of an agent may be text.
      if (CONTROL.test(text)) expect(answer.status, JSON.stringify(values)).toBe(400);
      else expect(answer.status, JSON.stringify(values)).toBeLessThan(500);
    }
  });
});

test('unknown paths leave nothing in memory (CVE-2021-40797)', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  let nth = 0;
  const heapAfter = async (requests: number): Promise<number> => {
    for (let i = 0; i < requests; i++) await api.ask('GET', `/${'x'.repeat(8000)}${nth++}`);
    // What a request holds is free once the event loop has turned; chains of weak references take several collections.
    for (let turn = 0; turn < 5; turn++) {
      await setImmediate();
      collect();
    }
    return process.memoryUsage().heapUsed;
  };
  const before = await heapAfter(1000);
  // The paths of these alone are 80 MB.
  expect((await heapAfter(10_000)) - before).toBeLessThan(8_000_000);
});

describe('device owners of network services (CVE-2015-5240, CVE-2026-50266)', () => {
  const owners = ['network:dhcp', 'network:router_interface', 'network:floatingip', 'network:x', 'network:'];
  test('are for owners of the network alone, on create and update', async () => {
    const shared = await api.create('/networks', 'network', { shared: true, project_id: 'p9' });
    const own = await api.create('/ports', 'port', { network_id: shared.id }, 'p1');
    for (const device_owner of owners) {
      const wanted = { network_id: shared.id, device_owner };
      expect((await api.ask('POST', '/ports', { port: wanted }, 'p1')).status, device_owner).toBe(403);
      const changed = await api.ask('PUT', `/ports/${own.id}`, { port: { device_owner } }, 'p1');
      expect(changed.status, device_owner).toBe(403);
      const late = await api.ask('PUT', `/ports/${own.id}`, { port: { name: 'n', device_owner } }, 'p1');
      expect(late.status, device_owner).toBe(403);
    }
    expect((await api.ask('GET', `/ports/${own.id}`)).json.port).toMatchObject({ device_owner: '', name: '' });
    // In bulk, all are refused.
    const ports = [{ network_id: shared.id }, { network_id: shared.id, device_owner: 'network:dhcp' }];
    expect((await api.ask('POST', '/ports', { ports }, 'p1')).status).toBe(403);
    expect((await api.ask('GET', `/ports?network_id=${shared.id}`)).json.ports).toHaveLength(1);
  });
});

test('an attribute that may not be set may not be reset to its default either (CVE-2014-6414)', async () => {
  await api.ask('PUT', `/networks/${network.id}`, { network: { shared: true } });
  expect((await api.ask('PUT', `/networks/${network.id}`, { network: { shared: false } }, 'p1')).status).toBe(403);
  expect((await api.ask('PUT', `/ports/${port.id}`, { port: { 'binding:host_id': '' } }, 'p1')).status).toBe(403);
  await api.ask('PUT', `/networks/${network.id}`, { network: { shared: false } });
});

describe('allowed address pairs (CVE-2014-3555, CVE-2015-3221)', () => {
  const pairs = (count: number) =>
    Array.from({ length: count }, (_, i) => ({ ip_address: `10.8.${Math.floor(i / 250)}.${i % 250}` }));
  test('are bounded in number', async () => {
    const set = (count: number) =>
      api.ask('PUT', `/ports/${port.id}`, { port: { allowed_address_pairs: pairs(count) } });
    expect((await set(10)).status).toBe(200);
    expect(await set(11)).toMatchObject({ status: 400, type: 'AllowedAddressPairExhausted' });
  });
  test.each(['0.0.0.0/0', '::/0', '0.0.0.0', '10.0.0.0/33', '10.0.0.1/x', 'fd00::/129'])(
    '%s is stored as a prefix or refused, never an error of the server',
    async (ip_address) => {
      const { status, json } = await api.ask('PUT', `/ports/${port.id}`, {
        port: { allowed_address_pairs: [{ ip_address }] },
      });
      expect([200, 400]).toContain(status);
      if (status === 200) expect(json.port.allowed_address_pairs[0].ip_address).toBe(ip_address);
    },
  );
});

test('patterns take linear time (CVE-2014-7821)', async () => {
  // Each of them takes minutes where a pattern backtracks.
  const long = [
    'a'.repeat(50_000),
    `${'1.'.repeat(25_000)}x`,
    `${'a-'.repeat(25_000)}!`,
    `${':'.repeat(50_000)}`,
    ` ${'\t'.repeat(50_000)}x`,
  ];
  for (const text of long)
    for (const [path, name, values] of [
      ['/subnets', 'subnet', { ip_version: 4, cidr: text }],
      ['/subnets', 'subnet', { ip_version: 4, cidr: '10.1.0.0/24', dns_nameservers: [text] }],
      ['/ports', 'port', { mac_address: text }],
      ['/ports', 'port', { dns_name: text }],
      ['/ports', 'port', { fixed_ips: [{ ip_address: text }] }],
      ['/networks', 'network', { dns_domain: text }],
      ['/security-group-rules', 'security_group_rule', { protocol: text, direction: 'ingress' }],
    ] as const)
      expect((await api.ask('POST', path, { [name]: { network_id: network.id, ...values } })).status).toBe(400);
});

test('a child is not reached through the parent of somebody else, nor without one (LP#2161524)', async () => {
  const [mine, theirs] = [
    await api.create('/qos/policies', 'policy', { project_id: 'p1' }),
    await api.create('/qos/policies', 'policy', { project_id: 'p2' }),
  ];
  const { json } = await api.ask('POST', `/qos/policies/${theirs.id}/bandwidth_limit_rules`, {
    bandwidth_limit_rule: { max_kbps: 1 },
  });
  const { id } = json.bandwidth_limit_rule;
  for (const caller of ['p1', 'admin']) {
    expect(
      (await api.ask('GET', `/qos/policies/${mine.id}/bandwidth_limit_rules/${id}`, undefined, caller)).status,
    ).toBe(404);
    expect(
      (await api.ask('DELETE', `/qos/policies/${mine.id}/bandwidth_limit_rules/${id}`, undefined, caller)).status,
    ).toBeGreaterThanOrEqual(403);
  }
  expect((await api.ask('GET', `/qos/policies/${theirs.id}/bandwidth_limit_rules/${id}`)).status).toBe(200);
});

test('filters and sort keys do not reveal what the caller may not see', async () => {
  await api.ask('PUT', `/ports/${port.id}`, { port: { 'binding:host_id': 'secret-host' } });
  const ask = (query: string, caller: string) => api.ask('GET', `/ports?${query}`, undefined, caller);
  expect((await ask('binding:host_id=secret-host', 'admin')).json.ports).toHaveLength(1);
  expect((await ask('binding:host_id=secret-host', 'p1')).json.ports).toEqual([]);
  expect((await ask('binding:host_id=', 'p1')).json.ports).toEqual([]);
  expect((await ask('sort_key=binding:host_id&sort_dir=asc', 'p1')).status).toBe(400);
  const seen = (await api.ask('GET', '/networks?provider:network_type=vxlan', undefined, 'p1')).json.networks;
  expect(seen).toEqual([]);
});
