import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Document } from '../../../src/plugin/module.ts';
import { deletePort } from '../../../src/plugin/ports/delete.ts';
import { ADMIN, memberOf } from '../../support/core.ts';
import { createWorld, type World } from '../world.ts';

const member = memberOf('p1');
const stranger = memberOf('p2');
const KEY = `ssh-ed25519 ${'A'.repeat(68)} me@home`;

let world: World;
let network: string;
beforeEach(async () => {
  world = await createWorld();
  network = await world.network({ shared: true });
  await world.subnet(network, '10.0.0.0/24');
});
afterEach(() => world.close());

const port = (device_id: string, project_id = 'p1') => world.port(network, { device_id, project_id });
const create = async (values: Document, caller = member) => {
  const [made] = await world.of('machine').create(caller, [{ device_id: 'vm-1', ...values }]);
  return made as Document & { readonly id: string };
};
const stored = async () => (await world.core.db.kysely.selectFrom('machines').select(['device_id']).execute()).length;

test('is stored for a machine with a port of the project, once, and shown to the project and administrators', async () => {
  const none = { type: 'MachineWithoutPort', status: 409 };
  await expect(create({})).rejects.toMatchObject(none);
  await port('vm-1', 'p2');
  await expect(create({})).rejects.toMatchObject(none);
  await port('vm-1');
  await expect(create({ device_id: '' })).rejects.toMatchObject({ status: 409 });
  const made = await create({ name: 'web', user_data: 'aGk=', public_keys: { 'my key': KEY } });
  expect(made).toMatchObject({
    ...{ device_id: 'vm-1', name: 'web', user_data: 'aGk=', public_keys: { 'my key': KEY }, password: null },
    ...{ project_id: 'p1', tenant_id: 'p1' },
  });
  await expect(create({})).rejects.toMatchObject({ type: 'MachineExists', status: 409 });
  // Another project's machine may have the same device_id.
  await create({ name: 'other' }, stranger);

  const machines = world.of('machine');
  const absent = { type: 'MachineNotFound', status: 404 };
  await expect(machines.show(stranger, made.id)).rejects.toMatchObject(absent);
  await expect(machines.update(stranger, made.id, { name: 'x' })).rejects.toMatchObject(absent);
  await expect(machines.delete(stranger, made.id)).rejects.toMatchObject(absent);
  const own = { filters: { device_id: ['vm-1'] }, sorts: [], pageReverse: false };
  expect((await machines.list(member, own)).map(({ id }) => id)).toEqual([made.id]);
  expect(await machines.list(ADMIN, own)).toHaveLength(2);
  expect((await machines.list(member, own))[0]).not.toHaveProperty('user_data');
  expect(await machines.show(member, made.id)).toEqual(made);
  expect(await machines.update(member, made.id, { user_data: null, public_keys: {} })).toEqual({
    ...made,
    ...{ user_data: null, public_keys: {} },
  });
  await machines.delete(member, made.id);
  await expect(machines.show(ADMIN, made.id)).rejects.toMatchObject(absent);
  await expect(machines.delete(ADMIN, made.id)).rejects.toMatchObject(absent);
  await expect(machines.update(ADMIN, made.id, { name: 'x' })).rejects.toMatchObject(absent);
});

test('takes 64 KiB of user data, as Nova does', async () => {
  await port('vm-1');
  const user_data = Buffer.alloc(49_149, 'x').toString('base64');
  expect((await create({ user_data })).user_data).toBe(user_data);
});

const INVALID: readonly (readonly [string, Document])[] = [
  ['user data of more than 64 KiB', { user_data: 'A'.repeat(65_536) }],
  ['user data that is not base64', { user_data: '#cloud-config' }],
  ['user data that is no text', { user_data: 7 }],
  ['a list of keys', { public_keys: [KEY] }],
  ['a private key', { public_keys: { k: '-----BEGIN OPENSSH PRIVATE KEY-----' } }],
  ['two keys in one', { public_keys: { k: `${KEY}\n${KEY}` } }],
  ['options of a key', { public_keys: { k: `command="x" ${KEY}` } }],
  ['a key with a path for a name', { public_keys: { '../x': KEY } }],
  ['17 keys', { public_keys: Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`k${i}`, KEY])) }],
  ['keys of more than 60,000 bytes', { public_keys: { k: `ssh-rsa ${'A'.repeat(60_000)}` } }],
  ['a password', { password: 'x' }],
  ['a name with a newline', { name: 'a\nb' }],
  ['an unknown attribute', { vendor_data: {} }],
];

test('rejects invalid values, and stores nothing', async () => {
  await port('vm-1');
  for (const [what, values] of INVALID) await expect(create(values), what).rejects.toMatchObject({ status: 400 });
  expect(await stored()).toBe(0);
});

describe('the last port of a machine takes it along', () => {
  test('when it is deleted', async () => {
    const ports = [await port('vm-1'), await port('vm-1')] as const;
    await port('vm-1', 'p2');
    await create({});
    await create({}, stranger);
    await world.deletePort(ports[0].id);
    expect(await stored()).toBe(2);
    await world.deletePort(ports[1].id);
    expect(await stored()).toBe(1);
  });

  test('when it gets another device', async () => {
    const { id } = await port('vm-1');
    await create({});
    await world.updatePort(id, { name: 'x', device_id: 'vm-1' });
    expect(await stored()).toBe(1);
    await world.updatePort(id, { device_id: '' });
    expect(await stored()).toBe(0);
  });

  test('also if several are deleted at once', async () => {
    const ports = await Promise.all(Array.from({ length: 8 }, () => port('vm-1')));
    await create({});
    await Promise.all(ports.map(({ id }) => world.deletePort(id)));
    expect(await stored()).toBe(0);
  });
});

test('two transactions that each delete one of the last two ports leave nothing', async () => {
  const [one, other] = [await port('vm-1'), await port('vm-1')];
  await create({});
  let second: Promise<unknown> | undefined;
  await world.transaction(async (trx) => {
    await deletePort(trx, one.id);
    second = world.transaction((own) => deletePort(own, other.id));
    // If it does not wait for the first one, it is through by then.
    await Promise.race([second, pause(300)]);
  });
  await second;
  expect(await stored()).toBe(0);
});

test('a machine whose last port is deleted meanwhile is not stored', async () => {
  for (let i = 0; i < 10; i++) {
    const { id } = await port('vm-1');
    await Promise.allSettled([create({}), world.of('port').delete(member, id)]);
    expect(await stored()).toBe(0);
  }
});

test('nothing of it reaches agents or notifications', async () => {
  const { id } = await port('vm-1');
  await create({ user_data: 'c2VjcmV0' });
  await world.updatePort(id, { name: 'x' });
  await world.deletePort(id);
  expect(JSON.stringify(await world.outbox())).not.toContain('c2VjcmV0');
});
