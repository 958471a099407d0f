import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Document } from '../../../src/plugin/module.ts';
import { memberOf } from '../../support/core.ts';
import { ADMIN } from '../world.ts';
import { createRouterWorld, type RouterWorld } from './world.ts';

let world: RouterWorld;
let id: string;
let network: string;
let subnet: string;
beforeEach(async () => {
  world = await createRouterWorld();
  ({ id } = await world.router());
  ({ network, subnet } = await world.external('198.51.100.0/24'));
});
afterEach(() => world.close());

const member = memberOf('p1');
const set = (info: unknown, caller = ADMIN) => world.update(id, { external_gateway_info: info }, caller);
const fails = (work: Promise<unknown>, type: string) => expect(work).rejects.toMatchObject({ type });
const gateways = () => world.portsOf(id, 'network:router_gateway');
const at = (last: number) => ({ subnet_id: subnet, ip_address: `198.51.100.${last}` });

describe('the external gateway', () => {
  test('is a port of no project, set and cleared with the router', async () => {
    const { external_gateway_info: info, revision_number } = await set({ network_id: network }, member);
    expect(info).toEqual({ network_id: network, enable_snat: true, external_fixed_ips: [expect.anything()] });
    expect(revision_number).toBe(3);
    expect(await gateways()).toMatchObject([
      {
        name: '',
        project_id: '',
        network_id: network,
        device_id: id,
        fixed_ips: (info as { external_fixed_ips: unknown }).external_fixed_ips,
      },
    ]);
    const [port] = await gateways();
    await fails(world.deletePort(String(port?.id)), 'ServicePortInUse');
    await fails(world.updateNetwork(network, { 'router:external': false }), 'ExternalNetworkInUse');
    await fails(world.deleteNetwork(network), 'NetworkInUse');
    await fails(world.of('port').show(memberOf('p2'), String(port?.id)), 'PortNotFound');
    expect(await set({}, member)).toMatchObject({ external_gateway_info: null, revision_number: 6 });
    expect(await gateways()).toEqual([]);
    expect(await world.updateNetwork(network, { 'router:external': false })).toMatchObject({
      'router:external': false,
    });
  });

  test('can be set with the router, and moved to another network', async () => {
    const { id: other } = await world.router({ external_gateway_info: { network_id: network } });
    const second = await world.external('203.0.113.0/24');
    const moved = await world.update(other, { external_gateway_info: { network_id: second.network } });
    expect(moved).toMatchObject({ external_gateway_info: { network_id: second.network } });
    expect(await world.portsOf(other, 'network:router_gateway')).toMatchObject([{ network_id: second.network }]);
  });

  test('has the addresses that an administrator chooses', async () => {
    const info = { network_id: network, external_fixed_ips: [at(9)], enable_snat: false };
    expect(await set(info)).toMatchObject({ external_gateway_info: info });
    const [port] = await gateways();
    expect(await set({ network_id: network, external_fixed_ips: [{ ip_address: '198.51.100.8' }] })).toMatchObject({
      external_gateway_info: { external_fixed_ips: [at(8)], enable_snat: true },
    });
    expect(await set({ network_id: network })).toMatchObject({
      external_gateway_info: { external_fixed_ips: [at(8)] },
    });
    expect((await gateways()).map((one) => one.id)).toEqual([port?.id]);
    await fails(set(info, member), 'PolicyNotAuthorized');
    await fails(set({ network_id: network, enable_snat: true }, member), 'PolicyNotAuthorized');
    await fails(set({ network_id: network, external_fixed_ips: [at(1)] }), 'BadRequest');
    await fails(
      set({ network_id: network, external_fixed_ips: [{ ip_address: '203.0.113.9' }] }),
      'InvalidIpForNetwork',
    );
  });

  test.each<[string, unknown, string]>([
    ['no network', { enable_snat: true }, 'HTTPBadRequest'],
    ['an unknown key', { network_id: '99999999-9999-4999-8999-999999999999', x: 1 }, 'HTTPBadRequest'],
    ['a list', [1], 'HTTPBadRequest'],
    ['a text', 'x', 'HTTPBadRequest'],
    ['an id that is none', { network_id: 'x' }, 'HTTPBadRequest'],
    ['an unknown network', { network_id: '99999999-9999-4999-8999-999999999999' }, 'NetworkNotFound'],
  ])('is not set with %s', async (_, info, type) => {
    await fails(set(info), type);
  });

  test('is on an external network that the caller sees', async () => {
    await fails(set({ network_id: await world.network() }, member), 'BadRequest');
    const hidden = await world.network({ project_id: 'p2' });
    await fails(set({ network_id: hidden }), 'BadRequest');
    await fails(set({ network_id: hidden }, member), 'NetworkNotFound');
  });

  test('does not overlap with the interfaces, nor they with it', async () => {
    await world.attached(id, '198.51.100.128/25');
    await fails(set({ network_id: network }), 'BadRequest');
    const { id: other } = await world.router({ external_gateway_info: { network_id: network } });
    await fails(world.attached(other, '198.51.100.64/26'), 'BadRequest');
  });

  test('has the default of enable_snat from the configuration', async () => {
    const other = await createRouterWorld({ DEFAULT: { enable_snat_by_default: false } });
    const external = await other.external('203.0.113.0/24');
    const made = await other.router({ external_gateway_info: { network_id: external.network } });
    expect(made).toMatchObject({ external_gateway_info: { enable_snat: false } });
    await other.close();
  });
});

describe('several external gateways', () => {
  const act = async (name: string, entries: readonly Document[], caller = ADMIN) =>
    (await world.act(name, id, { router: { external_gateways: entries } }, caller)).router as Document;
  const networks = ({ external_gateways }: Document) =>
    (external_gateways as readonly Document[]).map((gateway) => gateway.network_id);

  test('are added, changed and removed by actions', async () => {
    expect(await world.show(id)).not.toHaveProperty('external_gateways');
    const { network: second } = await world.external('203.0.113.0/24');
    const added = await act('add_external_gateways', [{ network_id: network }, { network_id: second }], member);
    expect(networks(added)).toEqual([network, second]);
    expect(added).toMatchObject({ external_gateway_info: { network_id: network }, enable_default_route_bfd: false });
    const updated = await act('update_external_gateways', [
      { network_id: second, external_fixed_ips: [{ ip_address: '203.0.113.77' }] },
    ]);
    expect(updated.external_gateways).toMatchObject([
      { network_id: network },
      { external_fixed_ips: [{ ip_address: '203.0.113.77' }] },
    ]);
    expect(networks(await act('remove_external_gateways', [{ network_id: network }]))).toEqual([second]);
    expect(await world.show(id)).toMatchObject({ external_gateway_info: { network_id: second } });
    await fails(act('remove_external_gateways', [{ network_id: network }]), 'BadRequest');
    const chosen = [{ network_id: network, external_fixed_ips: [at(9)] }];
    await fails(act('add_external_gateways', chosen, member), 'PolicyNotAuthorized');
  });

  test('can be on one network, and are set together', async () => {
    const two = [
      { network_id: network, external_fixed_ips: [at(8)] },
      { network_id: network, external_fixed_ips: [at(9)] },
    ];
    expect(await world.update(id, { external_gateways: two })).toMatchObject({ external_gateways: two });
    const ids = (await gateways()).map((port) => port.id);
    expect(await world.update(id, { external_gateways: [two[1]] })).toMatchObject({ external_gateways: [two[1]] });
    expect(ids).toContain((await gateways())[0]?.id);
    expect(await world.update(id, { external_gateways: [] })).toMatchObject({ external_gateways: [] });
    const made = await world.router({ external_gateways: two, enable_default_route_ecmp: true });
    expect(made).toMatchObject({ external_gateways: two, enable_default_route_ecmp: true });
    expect(await world.update(made.id, { external_gateway_info: null })).toMatchObject({ external_gateways: [] });
    const both = { external_gateway_info: { network_id: network }, external_gateways: two };
    await fails(world.router(both), 'BadRequest');
  });
});

describe('subnets of external networks', () => {
  const addressesOf = async (router: string): Promise<readonly string[]> => {
    const [port] = await world.portsOf(router, 'network:router_gateway');
    return ((port?.fixed_ips ?? []) as readonly Document[]).map(({ ip_address }) => String(ip_address));
  };

  test('give gateways an address of each IP version, as long as there are any', async () => {
    const bare = await world.network({ 'router:external': true });
    const made = await world.router({ external_gateway_info: { network_id: bare } });
    const versions = async () => (await addressesOf(made.id)).map((ip) => (ip.includes(':') ? 6 : 4)).sort();
    expect(await versions()).toEqual([]);
    await world.subnet(bare, '203.0.113.0/24');
    expect(await versions()).toEqual([4]);
    await world.subnet(bare, '192.0.2.0/24');
    expect(await versions()).toEqual([4]);
    await world.subnet(bare, 'fd00:2::/127', { ip_version: 6, enable_dhcp: false, gateway_ip: 'fd00:2::' });
    expect(await versions()).toEqual([4, 6]);
    const second = await world.network({ 'router:external': true });
    const routers = [];
    for (let i = 0; i < 3; i++) routers.push(await world.router({ external_gateway_info: { network_id: second } }));
    await world.subnet(second, '192.0.2.0/30');
    const addressed = await Promise.all(routers.map((one) => addressesOf(one.id)));
    expect(addressed.flat()).toHaveLength(1);
  });

  test('give gateways the address derived from the MAC if it is automatic', async () => {
    const modes = { ip_version: 6, ipv6_ra_mode: 'slaac', ipv6_address_mode: 'slaac' };
    const slaac = await world.external('fd00:3::/64', { ...modes, enable_dhcp: true });
    const made = await world.router({ external_gateway_info: { network_id: slaac.network } });
    expect(await addressesOf(made.id)).toEqual([expect.stringMatching(/^fd00:3::f816:3eff:fe/)]);
    await world.outbox();
    await world.of('subnet').delete(ADMIN, slaac.subnet);
    expect(await addressesOf(made.id)).toEqual([]);
    expect((await world.outbox()).map(({ method }) => method)).toContain('routers_updated');
  });

  test('notify the routers of a new gateway address', async () => {
    await set({ network_id: network });
    await world.outbox();
    await world.of('subnet').update(ADMIN, subnet, { gateway_ip: null });
    expect((await world.outbox()).map(({ method, ordering_key }) => [method, ordering_key])).toContainEqual([
      'routers_updated',
      id,
    ]);
  });
});

test('the QoS policy of the gateway is set, kept and cleared with it', async () => {
  const policy = async (values: Document = {}) =>
    String((await world.of('policy').create(ADMIN, [{ name: 'q', ...values }]))[0]?.id);
  const [own, foreign] = [await policy(), await policy({ project_id: 'p2' })];
  const info = (document: Document) => document.external_gateway_info as Document | null;
  expect(info(await set({ network_id: network, qos_policy_id: own }, member))).toMatchObject({ qos_policy_id: own });
  expect(info(await set({ network_id: network }, member))).toMatchObject({ qos_policy_id: own });
  await fails(world.of('policy').delete(ADMIN, own), 'QosPolicyInUse');
  await fails(set({ network_id: network, qos_policy_id: foreign }, member), 'QosPolicyNotFound');
  await fails(set({ network_id: network, qos_policy_id: 'x' }), 'HTTPBadRequest');
  await set({ network_id: network, qos_policy_id: foreign });
  await fails(set({ network_id: network, qos_policy_id: null }, member), 'PolicyRemoveAuthorizationError');
  expect(info(await set({ network_id: network, qos_policy_id: null }))).not.toHaveProperty('qos_policy_id');
  await set({ network_id: network, qos_policy_id: own });
  await set(null, member);
  await world.of('policy').delete(ADMIN, own);
});
