import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Document } from '../../src/plugin/module.ts';
import { ADMIN } from '../support/core.ts';
import { createServedWorld, type ServedWorld } from './agents.ts';

let world: ServedWorld;
let network: string;
beforeEach(async () => {
  world = await createServedWorld();
  network = await world.network();
  await world.subnet(network, '10.0.0.0/24');
  await world.subnet(network, 'fd00::/64', { ip_version: 6, ipv6_address_mode: 'slaac', ipv6_ra_mode: 'slaac' });
  await world.outbox();
});
afterEach(() => world.close());

const make = async (resource: string, values: Document): Promise<Document & { readonly id: string }> => {
  const [made] = await world.of(resource).create(ADMIN, [values]);
  return { ...made, id: String(made?.id) };
};
const group = (name: string, values: Document = {}) => make('security_group', { name, ...values });
const rule = (values: Document) => make('security_group_rule', { direction: 'ingress', ...values });
const tap = (port: { readonly id: string }) => `tap${port.id.slice(0, 11)}`;
const info = (devices: readonly string[]) => world.plugin.call('security_group_info_for_devices', { devices });

describe('security_group_info_for_devices', () => {
  test('answers as stock Neutron', async () => {
    const [g1, g2, g3] = [await group('g1'), await group('g2'), await group('g3', { stateful: false })];
    const ag = await make('address_group', { name: 'ag', addresses: ['192.0.2.0/24', '2001:db8::/64'] });
    const of = { security_group_id: g1.id };
    await rule({ ...of, protocol: 'tcp', port_range_min: 80, port_range_max: 90, remote_ip_prefix: '10.1.2.3/16' });
    await rule({ ...of, direction: 'egress', protocol: 'udp', remote_ip_prefix: '10.1.0.0/16' });
    await rule({ ...of, protocol: 'icmp', port_range_min: 8, port_range_max: 0 });
    await rule({ ...of, ethertype: 'IPv6', protocol: 'ipv6-icmp', port_range_min: 128 });
    await rule({ ...of, protocol: '112' });
    await rule({ ...of, protocol: 'tcp', port_range_min: 22, port_range_max: 22, remote_group_id: g2.id });
    await rule({ ...of, ethertype: 'IPv6', remote_group_id: g2.id });
    const https = { protocol: 'tcp', port_range_min: 443, port_range_max: 443 };
    await rule({ ...of, ...https, direction: 'egress', remote_address_group_id: ag.id });
    const ports = {
      p1: await world.port(network, {
        security_groups: [g1.id],
        device_owner: 'compute:nova',
        allowed_address_pairs: [{ ip_address: '10.9.0.0/24' }],
      }),
      p2: await world.port(network, {
        security_groups: [g2.id],
        allowed_address_pairs: [{ ip_address: '10.8.0.2', mac_address: 'fa:16:3e:00:00:02' }],
      }),
      p3: await world.port(network, { security_groups: [g3.id] }),
      p4: await world.port(network, { port_security_enabled: false }),
      p5: await world.port(network, { device_owner: 'network:dhcp' }),
      p6: await world.port(network, { security_groups: [] }),
    };
    const answer = await info([...Object.values(ports).map(tap), 'tap00000000-00']);
    const { devices, ...rest } = outlineOf(answer, { g1, g2, g3, ag, net: { id: network } }, ports);
    const recorded = JSON.parse(
      readFileSync(new URL('../fixtures/rpc/security-groups/info.json', import.meta.url), 'utf8'),
    );
    expect(sorted(rest)).toEqual(sorted({ ...recorded, devices: undefined }));
    expect(sorted(devices)).toMatchObject(sorted(recorded.devices) as object);
    expect(Object.keys(devices).sort()).toEqual(Object.keys(recorded.devices).sort());
  });

  test('finds ports on whatever host, by tap device, id and MAC', async () => {
    const port = await world.port(network, { 'binding:host_id': 'elsewhere' });
    const { devices } = await info([tap(port), port.id, String(port.mac_address)]);
    expect(Object.keys(devices)).toEqual([port.id]);
  });
});

type Named = Readonly<Record<string, { readonly id: string }>>;

/** Returns an answer with names instead of ids and addresses, as in the fixture. */
function outlineOf(answer: object, things: Named, ports: Named) {
  let text = JSON.stringify(answer);
  for (const [name, port] of Object.entries(ports)) {
    const { mac_address, fixed_ips } = port as unknown as Document;
    text = text.replaceAll(tap(port), `${name}.device`).replaceAll(String(mac_address), `${name}.mac`);
    for (const { ip_address: ip } of fixed_ips as { ip_address: string }[])
      text = text.replaceAll(ip, `${name}.${ip.includes(':') ? 'v6' : 'v4'}`);
  }
  for (const [name, { id }] of Object.entries({ ...things, ...ports })) text = text.replaceAll(id, name);
  return JSON.parse(text);
}

/** Returns a value with its lists in one order: those of the answers have none. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).map(([name, one]) => [name, sorted(one)] as const);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

describe('L2 agents are notified', () => {
  const RULES = 'security_groups_rule_updated';
  const MEMBERS = 'security_groups_member_updated';
  /** The notifications about groups since the last call: their method and groups. */
  const heard = async () =>
    (await world.outbox())
      .flatMap(({ method, payload }) => {
        if (method === RULES || method === MEMBERS) return [[method, payload.security_groups]];
        // A new port's event carries what L2 agents are told, too.
        const { port } = payload as { readonly port: Document };
        return method === 'port_create_end' ? [[MEMBERS, port.security_groups]] : [];
      })
      .filter(([, groups]) => (groups as string[]).length > 0);

  test('of rules that come and go', async () => {
    const { id } = await group('g');
    expect(await heard()).toEqual([]);
    const made = await rule({ security_group_id: id, protocol: 'tcp' });
    expect(await heard()).toEqual([[RULES, [id]]]);
    await world.of('security_group_rule').delete(ADMIN, made.id);
    expect(await heard()).toEqual([[RULES, [id]]]);
  });

  test('of rules that go with the group that they name, and of changed address groups', async () => {
    const [one, two] = [await group('one'), await group('two')];
    const { id: addresses } = await make('address_group', { addresses: ['192.0.2.0/24'] });
    await rule({ security_group_id: one.id, remote_group_id: two.id });
    await rule({ security_group_id: one.id, remote_address_group_id: addresses });
    await heard();
    await world.of('security_group').delete(ADMIN, two.id);
    expect(await heard()).toEqual([[RULES, [one.id]]]);
    const body = { addresses: ['198.51.100.0/24'] };
    const call = { id: addresses, parameters: {}, body, revision: undefined };
    await world.of('address_group').act(ADMIN, 'add_addresses', call);
    expect(await heard()).toEqual([[RULES, [one.id]]]);
  });

  test('of members that come, change and go, and of nothing else', async () => {
    const [one, two] = [await group('one'), await group('two')];
    const port = await world.port(network, { security_groups: [one.id] });
    expect(await heard()).toEqual([[MEMBERS, [one.id]]]);
    await world.updatePort(port.id, { name: 'n', description: 'd' });
    expect(await heard()).toEqual([]);
    await world.updatePort(port.id, { security_groups: [one.id, two.id] });
    expect(await heard()).toEqual([[MEMBERS, [two.id]]]);
    await world.updatePort(port.id, { security_groups: [two.id] });
    expect(await heard()).toEqual([[MEMBERS, [one.id]]]);
    for (const change of [
      { fixed_ips: [{ ip_address: '10.0.0.77' }] },
      { mac_address: 'fa:16:3e:00:00:77' },
      { allowed_address_pairs: [{ ip_address: '10.9.0.1' }] },
    ]) {
      await world.updatePort(port.id, change);
      expect(await heard(), JSON.stringify(change)).toEqual([[MEMBERS, [two.id]]]);
    }
    await world.deletePort(port.id);
    expect(await heard()).toEqual([[MEMBERS, [two.id]]]);
  });

  test('of a member on a network without DHCP', async () => {
    const { id } = await group('g');
    await world.port(await world.network(), { security_groups: [id] });
    expect(await heard()).toEqual([[MEMBERS, [id]]]);
  });
});
