import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Service } from '../../../src/plugin/service.ts';
import { ADMIN, memberOf } from '../../support/core.ts';
import { servicesOf } from '../../support/services.ts';
import { createWorld, type World } from '../world.ts';

let world: World;
let scopes: Service;
beforeEach(async () => {
  world = await createWorld();
  scopes = servicesOf(world.core).of('address_scope');
});
afterEach(() => world.close());

const make = async (values: object, caller = ADMIN) => {
  const [made] = await scopes.create(caller, [{ ip_version: 4, ...values }]);
  return { ...made, id: String(made?.id) };
};
const list = { filters: {}, sorts: [], pageReverse: false };
const ids = async (caller = ADMIN, filters = {}) =>
  (await scopes.list(caller, { ...list, filters })).map((scope) => scope.id);

describe('address scopes', () => {
  test('are created with exactly the attributes of the API reference', async () => {
    const made = await make({ name: 's' });
    expect(made).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      name: 's',
      ip_version: 4,
      shared: false,
      project_id: 'p1',
      tenant_id: 'p1',
    });
    expect(await scopes.show(ADMIN, made.id)).toEqual(made);
  });

  test('need an IP version, which cannot change', async () => {
    await expect(scopes.create(ADMIN, [{ name: 's' }])).rejects.toMatchObject({ type: 'HTTPBadRequest' });
    await expect(make({ ip_version: 5 })).rejects.toMatchObject({ type: 'HTTPBadRequest' });
    const { id } = await make({});
    await expect(scopes.update(ADMIN, id, { ip_version: 6 })).rejects.toMatchObject({ type: 'HTTPBadRequest' });
  });

  test('can be renamed and shared, but not unshared', async () => {
    const { id } = await make({});
    expect(await scopes.update(ADMIN, id, { name: 'new', shared: true })).toMatchObject({ name: 'new', shared: true });
    await expect(scopes.update(ADMIN, id, { shared: false })).rejects.toMatchObject({
      type: 'AddressScopeUpdateError',
    });
    expect(await scopes.show(ADMIN, id)).toMatchObject({ name: 'new', shared: true });
  });

  test('can be deleted once', async () => {
    const { id } = await make({});
    await scopes.delete(ADMIN, id);
    await expect(scopes.delete(ADMIN, id)).rejects.toMatchObject({ type: 'AddressScopeNotFound', status: 404 });
    await expect(scopes.show(ADMIN, id)).rejects.toMatchObject({ type: 'AddressScopeNotFound' });
  });

  test('are visible to their project, and to all if they are shared', async () => {
    const [own, other, shared] = [
      await make({}, memberOf('p2')),
      await make({}),
      await make({ shared: true, ip_version: 6 }),
    ];
    expect((await ids(memberOf('p2'))).sort()).toEqual([own.id, shared.id].sort());
    expect(await ids(ADMIN, { ip_version: ['6'] })).toEqual([shared.id]);
    await expect(scopes.show(memberOf('p2'), other.id)).rejects.toMatchObject({ type: 'AddressScopeNotFound' });
    await expect(scopes.update(memberOf('p2'), shared.id, { name: 'x' })).rejects.toMatchObject({ status: 403 });
    await expect(make({ shared: true }, memberOf('p2'))).rejects.toMatchObject({ status: 403 });
  });
});
