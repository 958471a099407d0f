import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Document } from '../../../src/plugin/module.ts';
import { memberOf } from '../../support/core.ts';
import { createRouterWorld, type RouterWorld } from '../routers/world.ts';
import { ADMIN } from '../world.ts';

let world: RouterWorld;
beforeEach(async () => {
  world = await createRouterWorld();
});
afterEach(() => world.close());

const MISSING = '99999999-9999-4999-8999-999999999999';
const DRIVER = 'neutron.services.l3_router.service_providers.';
const member = memberOf('p1');
const fails = (work: Promise<unknown>, type: string) => expect(work).rejects.toMatchObject({ type });
const make = async (resource: string, values: Document, caller = ADMIN) => {
  const [made] = await world.of(resource).create(caller, [values]);
  return { ...made, id: String(made?.id) };
};
const flavor = (values: Document = {}) => make('flavor', { service_type: 'L3_ROUTER_NAT', ...values });
const profile = (values: Document = {}) => make('service_profile', { metainfo: 'x', ...values });
const act = (name: string, id: string, body?: unknown, profile_id = '') =>
  world.of('flavor').act(ADMIN, name, { id, parameters: { profile_id }, body, revision: undefined });
const list = { filters: {}, sorts: [], pageReverse: false };

describe('flavors', () => {
  test('have exactly the attributes of Neutron, for everybody', async () => {
    const { id } = await flavor({ name: 'f', description: null, tenant_id: 'p1' });
    const shown = {
      id,
      name: 'f',
      description: '',
      service_type: 'L3_ROUTER_NAT',
      service_profiles: [],
      enabled: true,
    };
    expect(await world.of('flavor').show(member, id)).toEqual(shown);
    expect(await world.of('flavor').list(member, list)).toEqual([shown]);
    await fails(make('flavor', { service_type: 'L3_ROUTER_NAT' }, member), 'PolicyNotAuthorized');
    await fails(world.of('flavor').delete(member, id), 'PolicyNotAuthorized');
    await fails(flavor({ service_type: 'x' }), 'InvalidServiceType');
    expect(await world.of('flavor').update(ADMIN, id, { enabled: false, description: null })).toEqual({
      ...shown,
      enabled: false,
    });
    await world.of('flavor').delete(ADMIN, id);
    await fails(world.of('flavor').show(ADMIN, id), 'FlavorNotFound');
  });

  test('are associated with service profiles', async () => {
    const { id } = await flavor();
    const { id: one } = await profile();
    expect(await act('add_service_profile', id, { service_profile: { id: one } })).toEqual({
      service_profile: { id: one },
    });
    expect(await world.of('flavor').show(ADMIN, id)).toMatchObject({ service_profiles: [one] });
    await fails(act('add_service_profile', id, { service_profile: { id: one } }), 'FlavorServiceProfileBindingExists');
    await fails(act('add_service_profile', id, { service_profile: { id: MISSING } }), 'ServiceProfileNotFound');
    await fails(act('add_service_profile', MISSING, { service_profile: { id: one } }), 'FlavorNotFound');
    await fails(act('add_service_profile', id, { service_profile: { id: 'x' } }), 'HTTPBadRequest');
    await fails(act('add_service_profile', id, {}), 'HTTPBadRequest');
    await fails(world.of('service_profile').delete(ADMIN, one), 'ServiceProfileInUse');
    await fails(world.of('service_profile').update(ADMIN, one, { description: 'd' }), 'ServiceProfileInUse');
    expect(await act('list_service_profiles', id)).toEqual({ service_profiles: [{ id: one }] });
    await act('remove_service_profile', id, undefined, one);
    await fails(act('remove_service_profile', id, undefined, one), 'FlavorServiceProfileBindingNotFound');
    await world.of('service_profile').delete(ADMIN, one);
  });

  test('decide what kind of router is made', async () => {
    const { id: ha } = await profile({ driver: `${DRIVER}ha.HaDriver` });
    const { id } = await flavor({ service_profiles: [ha] });
    const router = await world.router({ flavor_id: id });
    expect(router).toMatchObject({ flavor_id: id, ha: true, distributed: false });
    await fails(world.router({ flavor_id: id, distributed: true }), 'InvalidInput');
    await fails(world.update(router.id, { ha: false, admin_state_up: false }), 'InvalidInput');
    await fails(world.of('flavor').delete(ADMIN, id), 'FlavorInUse');
    await fails(world.router({ flavor_id: MISSING }), 'FlavorNotFound');
    await fails(world.router({ flavor_id: (await flavor()).id }), 'FlavorServiceProfileBindingNotFound');
    await fails(world.router({ flavor_id: (await flavor({ enabled: false })).id }), 'FlavorDisabled');
    const off = await profile({ driver: `${DRIVER}ha.HaDriver`, enabled: false });
    await fails(
      world.router({ flavor_id: (await flavor({ service_profiles: [off.id] })).id }),
      'ServiceProfileDisabled',
    );
    const bare = await flavor({ service_profiles: [(await profile()).id] });
    await fails(world.router({ flavor_id: bare.id }), 'ServiceProfileDriverNotFound');
  });
});

test('service profiles have a known driver or metainfo, and are for administrators', async () => {
  const driver = `${DRIVER}single_node.SingleNodeDriver`;
  const made = await profile({ driver, metainfo: '', description: 'd' });
  expect(made).toEqual({ id: made.id, description: 'd', driver, metainfo: '', enabled: true });
  expect(await world.of('service_profile').update(ADMIN, made.id, { enabled: false, description: null })).toEqual({
    ...made,
    enabled: false,
    description: '',
  });
  await fails(profile({ metainfo: '' }), 'ServiceProfileEmpty');
  await fails(profile({ driver: 'x' }), 'ServiceProfileDriverNotFound');
  await fails(profile({ driver: 'x\ny' }), 'HTTPBadRequest');
  expect(await world.of('service_profile').list(member, list)).toEqual([]);
  await fails(world.of('service_profile').show(member, made.id), 'HTTPNotFound');
});

test('service providers are those of Neutron', async () => {
  const found = await world.of('service_provider').list(member, list);
  expect(found.map(({ name }) => name).sort()).toEqual(['dvr', 'dvrha', 'ha', 'single_node']);
  expect(found[0]).toEqual({ service_type: 'L3_ROUTER_NAT', name: 'dvr', default: false });
});
