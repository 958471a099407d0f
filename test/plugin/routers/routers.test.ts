import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { memberOf } from '../../support/core.ts';
import { createRouterWorld, type RouterWorld } from './world.ts';

let world: RouterWorld;
beforeEach(async () => {
  world = await createRouterWorld();
});
afterEach(() => world.close());

const MISSING = '99999999-9999-4999-8999-999999999999';
const member = memberOf('p1');

describe('routers', () => {
  test('are created with exactly the attributes of Neutron', async () => {
    const made = await world.router({ name: 'r1' });
    const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    expect(made).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      name: 'r1',
      project_id: 'p1',
      tenant_id: 'p1',
      admin_state_up: true,
      status: 'ACTIVE',
      external_gateway_info: null,
      routes: [],
      distributed: false,
      ha: false,
      availability_zone_hints: [],
      availability_zones: [],
      conntrack_helpers: [],
      flavor_id: null,
      description: '',
      tags: [],
      created_at: time,
      updated_at: time,
      revision_number: 1,
    });
    expect(await world.show(made.id)).toEqual(made);
    expect(await world.outbox()).toEqual([]);
  });

  test('hide from members what is for administrators, also in the responses of actions', async () => {
    const { id } = await world.router({}, member);
    for (const shown of [
      await world.show(id, member),
      (await world.act('add_extraroutes', id, { router: { routes: [] } }, member)).router,
    ])
      expect(Object.keys(shown as object)).not.toEqual(expect.arrayContaining(['ha']));
    await expect(world.router({ ha: false }, member)).rejects.toMatchObject({ type: 'PolicyNotAuthorized' });
    await expect(world.update(id, { distributed: false }, member)).rejects.toMatchObject({
      type: 'PolicyNotAuthorized',
    });
  });

  test('of another project do not exist for members', async () => {
    const { id } = await world.router({ project_id: 'p2' });
    const notFound = { type: 'RouterNotFound', status: 404 };
    await expect(world.show(id, member)).rejects.toMatchObject(notFound);
    await expect(world.act('add_router_interface', id, { subnet_id: MISSING }, member)).rejects.toMatchObject(notFound);
  });

  test('are changed with a revision, conditionally too, and notify their agents', async () => {
    const { id } = await world.router();
    const changed = await world.routers.update(
      memberOf('p1'),
      id,
      { name: 'n', admin_state_up: false, description: 'd' },
      1,
    );
    expect(changed).toMatchObject({ name: 'n', admin_state_up: false, description: 'd', revision_number: 2 });
    await expect(world.routers.update(member, id, { name: 'x' }, 1)).rejects.toMatchObject({ status: 412 });
    expect(await world.outbox()).toEqual([
      { method: 'routers_updated', ordering_key: id, host: null, payload: { router_id: id, has_ports: false } },
    ]);
  });

  test('are deleted with their gateway, not with interfaces', async () => {
    const { id } = await world.router();
    const { network } = await world.external('198.51.100.0/24');
    await world.update(id, { external_gateway_info: { network_id: network } });
    const { subnet } = await world.attached(id, '10.0.0.0/24');
    await expect(world.routers.delete(member, id)).rejects.toMatchObject({ type: 'RouterInUse', status: 409 });
    await world.act('remove_router_interface', id, { subnet_id: subnet });
    await world.outbox();
    await world.routers.delete(member, id);
    await expect(world.show(id)).rejects.toMatchObject({ type: 'RouterNotFound' });
    expect((await world.outbox()).map(({ method }) => method)).toEqual(['port_delete_end', 'router_deleted']);
    await world.deleteNetwork(network);
  });

  test('take ha and distributed from the configuration, and change them only while they are down', async () => {
    const { id } = await world.router();
    const { port } = await world.attached(id, '10.0.0.0/24');
    await expect(world.update(id, { ha: true })).rejects.toMatchObject({ type: 'BadRequest' });
    await expect(world.update(id, { distributed: true, admin_state_up: false })).rejects.toMatchObject({
      type: 'BadRequest',
    });
    expect(await world.update(id, { ha: true, admin_state_up: false })).toMatchObject({ ha: true });
    expect(await world.portOf(port)).toMatchObject({ device_owner: 'network:ha_router_replicated_interface' });
    expect(await world.update(id, { distributed: true })).toMatchObject({ ha: true, distributed: true });
    expect(await world.portOf(port)).toMatchObject({ device_owner: 'network:router_interface_distributed' });
    await world.update(id, { distributed: false, ha: false });
    expect(await world.portOf(port)).toMatchObject({ device_owner: 'network:router_interface' });
    const other = await createRouterWorld({ DEFAULT: { l3_ha: true, router_distributed: true } });
    expect(await other.router()).toMatchObject({ ha: true, distributed: true });
    await other.close();
  });

  test('accept hints of known availability zones only', async () => {
    const unknown = { availability_zone_hints: ['z1'] };
    await expect(world.router(unknown)).rejects.toMatchObject({ type: 'AvailabilityZoneNotFound' });
    await world.l3Agent('h1', { availability_zone: 'z1' });
    expect(await world.router(unknown)).toMatchObject(unknown);
  });

  test('show enable_ndp_proxy once it has been set', async () => {
    const { id } = await world.router();
    expect(await world.show(id)).not.toHaveProperty('enable_ndp_proxy');
    expect(await world.update(id, { enable_ndp_proxy: false })).toMatchObject({ enable_ndp_proxy: false });
    expect(await world.show(id)).toMatchObject({ enable_ndp_proxy: false });
  });
});

describe('extra routes', () => {
  const route = (destination: string, nexthop = '10.0.0.9') => ({ destination, nexthop });

  test('need a next hop on a subnet of the router that is not its own address', async () => {
    const { id } = await world.router();
    const { subnet } = await world.attached(id, '10.0.0.0/24');
    const routes = [route('10.70.0.0/16')];
    expect(await world.update(id, { routes }, member)).toMatchObject({ routes });
    for (const nexthop of ['10.99.0.9', '10.0.0.1', 'fd00::1'])
      await expect(world.update(id, { routes: [route('10.71.0.0/16', nexthop)] })).rejects.toMatchObject({
        type: 'InvalidRoutes',
      });
    await expect(world.act('remove_router_interface', id, { subnet_id: subnet })).rejects.toMatchObject({
      type: 'RouterInterfaceInUseByRoute',
    });
    expect(await world.update(id, { routes: null })).toMatchObject({ routes: [] });
    await world.act('remove_router_interface', id, { subnet_id: subnet });
  });

  test('are added and removed by actions, each once, up to max_routes', async () => {
    const other = await createRouterWorld({ DEFAULT: { max_routes: 2 } });
    const { id } = await other.router();
    await other.attached(id, '10.0.0.0/24');
    const act = async (name: string, routes: readonly unknown[]) =>
      ((await other.act(name, id, { router: { routes } })).router as { routes: unknown }).routes;
    expect(await act('add_extraroutes', [route('10.1.0.0/16')])).toEqual([route('10.1.0.0/16')]);
    expect(await act('add_extraroutes', [route('10.1.0.0/16'), route('10.2.0.0/16')])).toHaveLength(2);
    await expect(act('add_extraroutes', [route('10.3.0.0/16')])).rejects.toMatchObject({ type: 'RoutesExhausted' });
    expect(await act('remove_extraroutes', [route('10.1.0.0/16'), route('10.9.0.0/16')])).toEqual([
      route('10.2.0.0/16'),
    ]);
    await expect(other.act('add_extraroutes', id, { router: {} })).rejects.toMatchObject({ type: 'HTTPBadRequest' });
    await expect(other.act('add_extraroutes', id, [])).rejects.toMatchObject({ type: 'HTTPBadRequest' });
    await other.close();
  });

  test('keep the gateway that they use', async () => {
    const { id } = await world.router();
    const { network } = await world.external('198.51.100.0/24');
    await world.update(id, { external_gateway_info: { network_id: network } });
    await world.update(id, { routes: [route('10.1.0.0/16', '198.51.100.1')] });
    await expect(world.update(id, { external_gateway_info: null })).rejects.toMatchObject({ type: 'InvalidRoutes' });
    expect(await world.portsOf(id, 'network:router_gateway')).toHaveLength(1);
  });
});
