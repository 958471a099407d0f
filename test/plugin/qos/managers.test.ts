import { afterEach, beforeEach, expect, test } from 'vitest';
import { ADMIN, memberOf } from '../../support/core.ts';
import { createWorld, type World } from '../world.ts';

const member = memberOf('p1');
const manager = { ...member, roles: ['manager', 'member', 'reader'] };
const stranger = { ...memberOf('p2'), roles: ['manager', 'member', 'reader'] };
const denied = { type: 'PolicyNotAuthorized', status: 403 };

let world: World;
beforeEach(async () => {
  world = await createWorld();
});
afterEach(() => world.close());

const make = async (name: string, caller: typeof member, values: object, parent?: string) =>
  String((await world.of(name).create(caller, [values], parent))[0]?.id);

test('managers have QoS policies and metering labels of their project; sharing them with all takes an administrator', async () => {
  for (const [name, values] of [
    ['policy', { name: 'q' }],
    ['metering_label', { name: 'l' }],
  ] as const) {
    await expect(make(name, member, values)).rejects.toMatchObject(denied);
    await expect(make(name, manager, { ...values, shared: true })).rejects.toMatchObject(denied);
    await make(name, manager, values);
  }
});

test('managers change the rules of their own QoS policies only', async () => {
  const [own, shared] = [
    await make('policy', manager, {}),
    await make('policy', ADMIN, { shared: true, project_id: 'pa' }),
  ];
  const rule = await make('bandwidth_limit_rule', manager, { max_kbps: 1000 }, own);
  await world.of('bandwidth_limit_rule').update(manager, rule, { max_kbps: 2000 }, undefined, own);
  await expect(make('bandwidth_limit_rule', member, { max_kbps: 1 }, own)).rejects.toMatchObject(denied);
  await expect(make('bandwidth_limit_rule', manager, { max_kbps: 1 }, shared)).rejects.toMatchObject(denied);
  await expect(make('bandwidth_limit_rule', stranger, { max_kbps: 1 }, own)).rejects.toMatchObject({ status: 404 });
  await expect(world.of('policy').update(manager, shared, { name: 'mine' })).rejects.toMatchObject(denied);
});
