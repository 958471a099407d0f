import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ADDRESS_GROUP } from '../../../src/resources/address-group.ts';
import { ADMIN, memberOf } from '../../support/core.ts';
import { createGroupWorld, type GroupWorld } from '../security-groups/world.ts';

let world: GroupWorld;
beforeEach(async () => {
  world = await createGroupWorld();
});
afterEach(() => world.close());

const P2 = memberOf('p2');
const groups = () => world.services.of('address_group');
const make = (values: object = {}, caller = ADMIN) => world.create('address_group', values, caller);
const act = (
  name: 'add_addresses' | 'remove_addresses',
  id: string,
  addresses: unknown,
  caller = ADMIN,
  revision?: number,
) => groups().act(caller, name, { id, parameters: {}, body: { addresses }, revision });

describe('an address group', () => {
  test('has exactly the attributes of the API reference', async () => {
    const made = await make({ name: 'a', description: 'd', addresses: ['10.1.2.3/16', '10.0.0.9/32', 'fd00::/8'] });
    expect(made).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      ...{ name: 'a', description: 'd', project_id: 'p1', tenant_id: 'p1' },
      addresses: ['10.0.0.9/32', '10.1.0.0/16', 'fd00::/8'],
    });
    expect(await groups().show(ADMIN, made.id)).toEqual(made);
    expect(await groups().update(ADMIN, made.id, { name: 'b' })).toEqual({ ...made, name: 'b' });
    expect(await make({ addresses: null })).toMatchObject({ addresses: [] });
  });

  test.each([
    [{ addresses: ['10.0.0.1'] }],
    [{ addresses: ['10.0.0.0/8', '10.0.0.0/8'] }],
    [{ addresses: '10.0.0.0/8' }],
    [{ addresses: [5] }],
    [{ addresses: Array.from({ length: 1001 }, (_, i) => `10.0.${i >> 8}.${i & 255}/32`) }],
    [{ shared: true }],
  ])('%j is rejected', async (values) => {
    await expect(make(values)).rejects.toMatchObject({ type: 'HTTPBadRequest' });
  });

  test('gains and loses addresses, which changes its revision', async () => {
    const { id } = await make({ addresses: ['10.0.0.0/8'] });
    expect(await act('add_addresses', id, ['192.168.0.1', '172.16.5.5/12', '172.16.0.0/12'])).toEqual({
      address_group: {
        ...(await groups().show(ADMIN, id)),
        addresses: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.1/32'],
        ...{ shared: false, revision_number: 1 },
        ...{ created_at: expect.stringMatching(/Z$/), updated_at: expect.stringMatching(/Z$/) },
      },
    });
    const refused: readonly (readonly ['add_addresses' | 'remove_addresses', unknown, string])[] = [
      ['add_addresses', ['11.0.0.0/8', '10.0.0.0/8'], 'AddressesAlreadyExist'],
      ['remove_addresses', ['10.0.0.0/8', '11.0.0.0/8'], 'AddressesNotFound'],
      ['add_addresses', ['x'], 'HTTPBadRequest'],
      ['add_addresses', 'x', 'HTTPBadRequest'],
      ['add_addresses', null, 'HTTPBadRequest'],
    ];
    for (const [name, addresses, type] of refused)
      await expect(act(name, id, addresses)).rejects.toMatchObject({ type });
    await expect(act('add_addresses', id, ['11.0.0.0/8'], ADMIN, 0)).rejects.toMatchObject({
      type: 'RevisionNumberConstraintFailed',
    });
    await act('remove_addresses', id, ['10.0.0.0/8', '172.16.0.0/12'], ADMIN, 1);
    expect(await groups().show(ADMIN, id)).toMatchObject({ addresses: ['192.168.0.1/32'] });
    await expect(act('add_addresses', '99999999-9999-9999-9999-999999999999', [])).rejects.toMatchObject({
      type: 'AddressGroupNotFound',
    });
  });

  test('is added to by many at once, each address once', async () => {
    const { id } = await make();
    const tries = await Promise.allSettled(Array.from({ length: 6 }, () => act('add_addresses', id, ['10.0.0.0/8'])));
    expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await groups().show(ADMIN, id)).toMatchObject({ addresses: ['10.0.0.0/8'] });
  });

  test('is not deleted while rules refer to it', async () => {
    const { id } = await make({ addresses: ['10.0.0.0/8'] });
    const group = await world.group();
    const rule = await world.rule(group.id, { remote_address_group_id: id });
    await expect(groups().delete(ADMIN, id)).rejects.toMatchObject({ type: 'AddressGroupInUse', status: 409 });
    await world.services.of('security_group_rule').delete(ADMIN, rule.id);
    await groups().delete(ADMIN, id);
    await expect(groups().delete(ADMIN, id)).rejects.toMatchObject({ type: 'AddressGroupNotFound', status: 404 });
  });

  test('is used by its project and by those that it is shared with', async () => {
    const made = await make({ addresses: ['10.0.0.0/8'] });
    const own = (await world.group({}, P2)).id;
    await expect(groups().show(P2, made.id)).rejects.toMatchObject({ type: 'AddressGroupNotFound' });
    await expect(world.rule(own, { remote_address_group_id: made.id }, P2)).rejects.toMatchObject({
      type: 'AddressGroupNotFound',
    });
    await world.share(ADDRESS_GROUP, made.id, 'p2');
    expect(await groups().show(P2, made.id)).toEqual(made);
    await world.rule(own, { remote_address_group_id: made.id }, P2);
    // As in Neutron.
    await expect(groups().update(P2, made.id, { name: 'x' })).rejects.toMatchObject({ type: 'HTTPNotFound' });
    for (const attempt of await Promise.allSettled([
      groups().delete(P2, made.id),
      act('add_addresses', made.id, ['11.0.0.0/8'], P2),
    ]))
      expect(attempt).toMatchObject({ reason: { type: 'PolicyNotAuthorized', status: 403 } });
    await expect(act('add_addresses', made.id, ['11.0.0.0/8'], memberOf('p3'))).rejects.toMatchObject({ status: 404 });
  });
});
