import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Document } from '../../../src/plugin/module.ts';
import { memberOf } from '../../support/core.ts';
import { ADMIN } from '../world.ts';
import { createRouterWorld, type RouterWorld } from './world.ts';

let world: RouterWorld;
let id: string;
beforeEach(async () => {
  world = await createRouterWorld();
  ({ id } = await world.router());
});
afterEach(() => world.close());

const MISSING = '99999999-9999-4999-8999-999999999999';
const member = memberOf('p1');
const add = (body: unknown, caller = ADMIN) => world.act('add_router_interface', id, body, caller);
const remove = (body: unknown, caller = ADMIN) => world.act('remove_router_interface', id, body, caller);
const fails = (work: Promise<unknown>, type: string) => expect(work).rejects.toMatchObject({ type });
const v6 = (values: Document = {}) => ({ ip_version: 6, ...values });

describe('interfaces', () => {
  test('by subnet are new ports with the gateway address', async () => {
    const network = await world.network();
    const subnet = await world.subnet(network, '10.0.0.0/24');
    await world.outbox();
    const answer = await add({ subnet_id: subnet }, member);
    const port_id = String(answer.port_id);
    expect(answer).toEqual({
      id,
      tenant_id: 'p1',
      port_id,
      network_id: network,
      subnet_id: subnet,
      subnet_ids: [subnet],
    });
    expect(await world.portOf(port_id)).toMatchObject({
      name: '',
      project_id: 'p1',
      device_id: id,
      device_owner: 'network:router_interface',
      fixed_ips: [{ subnet_id: subnet, ip_address: '10.0.0.1' }],
      security_groups: [],
      port_security_enabled: false,
    });
    expect(await world.show(id)).toMatchObject({ revision_number: 2 });
    expect((await world.outbox()).at(-1)).toMatchObject({
      method: 'routers_updated',
      ordering_key: id,
      payload: { router_id: id, has_ports: true },
    });
    await fails(world.of('subnet').delete(ADMIN, subnet), 'SubnetInUse');
    await fails(world.deleteNetwork(network), 'NetworkInUse');
    expect(await remove({ subnet_id: subnet }, member)).toEqual(answer);
    await fails(world.portOf(port_id), 'PortNotFound');
    await fails(remove({ subnet_id: subnet }), 'RouterInterfaceNotFoundForSubnet');
  });

  test('by port take the port as it is', async () => {
    const network = await world.network();
    const subnet = await world.subnet(network, '10.0.0.0/24');
    const { id: port } = await world.port(network, { fixed_ips: [{ ip_address: '10.0.0.7' }] });
    expect(await add({ port_id: port }, member)).toMatchObject({ port_id: port, subnet_ids: [subnet] });
    expect(await world.portOf(port)).toMatchObject({ device_id: id, device_owner: 'network:router_interface' });
    await fails(add({ port_id: port }), 'PortInUse');
    await fails(remove({ port_id: port, subnet_id: MISSING }), 'SubnetMismatchForPort');
    await fails(remove({ port_id: MISSING }), 'RouterInterfaceNotFound');
    expect(await remove({ port_id: port, subnet_id: subnet })).toMatchObject({ port_id: port, subnet_id: subnet });
    await fails(world.portOf(port), 'PortNotFound');
  });

  test.each<[string, unknown, string]>([
    ['nothing', {}, 'BadRequest'],
    ['no body', undefined, 'BadRequest'],
    ['both', { subnet_id: MISSING, port_id: MISSING }, 'BadRequest'],
    ['an id that is none', { subnet_id: 'x' }, 'BadRequest'],
    ['a number', { port_id: 7 }, 'BadRequest'],
    ['an unknown subnet', { subnet_id: MISSING }, 'SubnetNotFound'],
    ['an unknown port', { port_id: MISSING }, 'PortNotFound'],
  ])('are not added by %s', async (_, body, type) => {
    await fails(add(body), type);
    await fails(add(body, member), type);
    expect(await world.show(id)).toMatchObject({ revision_number: 1 });
  });

  test('are not added where the subnet or the port does not allow it', async () => {
    const network = await world.network();
    const bare = await world.port(network);
    await fails(add({ port_id: bare.id }), 'BadRequest');
    await fails(add({ subnet_id: await world.subnet(network, '10.1.0.0/24', { gateway_ip: null }) }), 'BadRequest');
    const { network: own, subnet } = await world.attached(id, '10.0.0.0/24');
    await fails(add({ subnet_id: subnet }), 'BadRequest');
    await fails(add({ subnet_id: await world.subnet(await world.network(), '10.0.0.128/25') }), 'BadRequest');
    const taken = await world.subnet(own, '10.2.0.0/24');
    await world.port(own, { fixed_ips: [{ subnet_id: taken, ip_address: '10.2.0.1' }] });
    await fails(add({ subnet_id: taken }), 'IpAddressAlreadyAllocated');
    const two = await world.subnet(own, '10.3.0.0/24');
    const both = await world.port(own, { fixed_ips: [{ subnet_id: taken }, { subnet_id: two }] });
    await fails(add({ port_id: both.id }), 'BadRequest');
    // Nothing of a failed request remains.
    expect(await world.portOf(both.id)).toMatchObject({ device_id: '', device_owner: '' });
    const foreign = await world.subnet(own, 'fd00:9::/64', v6({ ipv6_address_mode: 'slaac' }));
    await fails(add({ subnet_id: foreign }), 'BadRequest');
  });

  test('on IPv6 subnets of a network share one port', async () => {
    const network = await world.network();
    const [a, b] = [await world.subnet(network, 'fd00:1::/64', v6()), await world.subnet(network, 'fd00:2::/64', v6())];
    const { port_id } = await add({ subnet_id: a });
    expect(await add({ subnet_id: b })).toMatchObject({ port_id, subnet_ids: [b] });
    expect((await world.portOf(String(port_id))).fixed_ips).toHaveLength(2);
    const other = await world.port(network);
    await fails(add({ port_id: other.id }), 'BadRequest');
    expect(await remove({ subnet_id: a })).toMatchObject({ port_id, subnet_id: a, subnet_ids: [a] });
    expect((await world.portOf(String(port_id))).fixed_ips).toEqual([{ subnet_id: b, ip_address: 'fd00:2::' }]);
    await remove({ port_id });
    await fails(world.portOf(String(port_id)), 'PortNotFound');
  });

  test('of members are on their own subnets, or on those shared with their project', async () => {
    const shared = await world.network({ shared: true, project_id: 'p2' });
    const subnet = await world.subnet(shared, '10.5.0.0/24', { project_id: 'p2' });
    await fails(add({ subnet_id: subnet }, member), 'BadRequest');
    const hidden = await world.subnet(await world.network({ project_id: 'p2' }), '10.6.0.0/24', { project_id: 'p2' });
    await fails(add({ subnet_id: hidden }, member), 'SubnetNotFound');
    const [port] = await world.of('port').create(member, [{ network_id: shared }]);
    await add({ port_id: port?.id }, member);
    await remove({ port_id: port?.id }, member);
    const outside = await world.port(shared, { fixed_ips: [{ ip_address: '10.5.0.1' }] });
    await fails(add({ port_id: outside.id }, member), 'BadRequest');
    const { db } = world.core;
    const entry = { id: 'e', object_id: shared, project_id: 'p2', target_project: 'p1', action: 'access_as_shared' };
    await db.kysely.insertInto('networkrbacs').values(entry).execute();
    await world.deletePort(outside.id);
    await add({ subnet_id: subnet }, member);
  });

  test('protect their ports and the gateway address of their subnet', async () => {
    const { port, subnet } = await world.attached(id, '10.0.0.0/24');
    await fails(world.deletePort(port), 'ServicePortInUse');
    for (const changes of [{ device_id: '' }, { device_owner: 'compute:nova' }, { device_owner: '' }])
      await fails(world.updatePort(port, changes), 'ServicePortInUse');
    expect(await world.updatePort(port, { name: 'n', device_id: id })).toMatchObject({ name: 'n' });
    await fails(world.of('subnet').update(ADMIN, subnet, { gateway_ip: '10.0.0.254' }), 'GatewayIpInUse');
    for (const fixed_ips of [
      [],
      [{ subnet_id: subnet, ip_address: '10.0.0.9' }],
      [{ subnet_id: subnet }, { subnet_id: subnet }],
    ])
      await fails(world.updatePort(port, { fixed_ips }), 'IPAddressChangeNotAllowed');
    expect(await world.updatePort(port, { fixed_ips: [{ subnet_id: subnet }] })).toMatchObject({
      fixed_ips: [{ ip_address: '10.0.0.1' }],
    });
    await remove({ port_id: port });
  });

  test('cannot be made by a port that names the router of another project', async () => {
    const { id: foreign } = await world.router({ project_id: 'p2' });
    const network = await world.network();
    const device = { device_id: foreign, device_owner: 'network:router_interface' };
    const [port] = await world.of('port').create(member, [{ network_id: network }]);
    await fails(world.of('port').create(member, [{ network_id: network, ...device }]), 'DeviceIDNotOwnedByTenant');
    await fails(world.of('port').update(member, String(port?.id), device), 'DeviceIDNotOwnedByTenant');
  });

  test('are added once by two requests at the same time', async () => {
    const subnet = await world.subnet(await world.network(), '10.0.0.0/24');
    const results = await Promise.allSettled([add({ subnet_id: subnet }), add({ subnet_id: subnet })]);
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await world.portsOf(id, 'network:router_interface')).toHaveLength(1);
  });
});

describe('interfaces on IPv4 and IPv6', () => {
  test('lose one subnet after the other', async () => {
    const network = await world.network();
    const four = await world.subnet(network, '10.0.0.0/24');
    const six = await world.subnet(network, 'fd00:1::/64', v6());
    const port = await world.port(network, { fixed_ips: [{ subnet_id: four }, { subnet_id: six }] });
    expect((await add({ port_id: port.id })).subnet_ids).toHaveLength(2);
    expect(await remove({ subnet_id: four })).toMatchObject({ port_id: port.id, subnet_ids: [four] });
    await remove({ subnet_id: six });
    await fails(world.portOf(port.id), 'PortNotFound');
  });

  test('have the first address of a SLAAC subnet', async () => {
    const modes = { ipv6_ra_mode: 'slaac', ipv6_address_mode: 'slaac' };
    const { port, subnet } = await world.attached(id, 'fd00:1::/64', v6(modes));
    expect(await world.portOf(port)).toMatchObject({ fixed_ips: [{ subnet_id: subnet, ip_address: 'fd00:1::' }] });
  });
});
