import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SECURITY_GROUP } from '../../../src/resources/security-group.ts';
import { ADMIN, memberOf } from '../../support/core.ts';
import { createGroupWorld, type GroupWorld, matches, rulesOf } from './world.ts';

let world: GroupWorld;
beforeEach(async () => {
  world = await createGroupWorld();
});
afterEach(() => world.close());

const P2 = memberOf('p2');
const groups = () => world.services.of('security_group');
const network = async (project = 'p1'): Promise<string> => {
  const id = await world.network({ project_id: project });
  await world.subnet(id, '10.0.0.0/24');
  return id;
};

describe('a security group', () => {
  test('starts with rules that let all traffic out', async () => {
    const made = await world.group({ name: 'web', description: 'w', stateful: false });
    expect(made).toMatchObject({ name: 'web', description: 'w', stateful: false, shared: false, revision_number: 1 });
    expect(matches(rulesOf(made))).toEqual(['egress IPv4', 'egress IPv6']);
    expect(rulesOf(made)[0]).not.toHaveProperty('belongs_to_default_sg');
    expect(await groups().show(ADMIN, made.id)).toEqual(made);
    expect(await groups().update(ADMIN, made.id, { name: 'web2' })).toMatchObject({ name: 'web2', revision_number: 2 });
  });

  test.each(['default', 'Default', 'DEFAULT'])('is not named %s', async (name) => {
    const { id } = await world.group();
    for (const attempt of await Promise.allSettled([world.group({ name }), groups().update(ADMIN, id, { name })]))
      expect(attempt).toMatchObject({ reason: { type: 'SecurityGroupDefaultAlreadyExists', status: 409 } });
  });

  test('is neither deleted nor made stateless while ports use it', async () => {
    const { id } = await world.group();
    const port = await world.port(await network(), { security_groups: [id] });
    for (const attempt of await Promise.allSettled([
      groups().delete(ADMIN, id),
      groups().update(ADMIN, id, { stateful: false }),
    ]))
      expect(attempt).toMatchObject({ reason: { type: 'SecurityGroupInUse', status: 409 } });
    expect(await groups().update(ADMIN, id, { stateful: true })).toMatchObject({ stateful: true });
    await world.deletePort(port.id);
    expect(await groups().update(ADMIN, id, { stateful: false })).toMatchObject({ stateful: false });
    await groups().delete(ADMIN, id);
    await expect(groups().delete(ADMIN, id)).rejects.toMatchObject({ type: 'SecurityGroupNotFound' });
  });

  test('takes its rules with it, and those that refer to it', async () => {
    const [gone, other] = [await world.group(), await world.group()];
    await world.rule(gone.id);
    await world.rule(other.id, { remote_group_id: gone.id });
    await groups().delete(ADMIN, gone.id);
    const left = await groups().show(ADMIN, other.id);
    expect(matches(rulesOf(left))).toEqual(['egress IPv4', 'egress IPv6']);
    expect(left.revision_number).toBe(3);
    // default group with 4 rules, group with 2 rules, 4 default rules: nothing else is left.
    expect(await world.count('standardattributes')).toBe(5 + 3 + 4);
  });

  test('is listed by its attributes', async () => {
    const made = await world.group({ name: 'a', stateful: false });
    await world.group({ name: 'b' });
    const ids = async (filters: Record<string, string[]>) =>
      (await world.list('security_group', ADMIN, filters)).map(({ id }) => id);
    expect(await ids({ name: ['a'] })).toEqual([made.id]);
    expect(await ids({ stateful: ['false'] })).toEqual([made.id]);
    expect(await ids({ shared: ['true'] })).toEqual([]);
    await world.share(SECURITY_GROUP, made.id, '*');
    expect(await ids({ shared: ['true'] })).toEqual([made.id]);
  });

  test('is seen by its project and by those that it is shared with', async () => {
    const made = await world.group({ name: 'a' });
    await expect(groups().show(P2, made.id)).rejects.toMatchObject({ type: 'SecurityGroupNotFound' });
    await world.share(SECURITY_GROUP, made.id, 'p2');
    expect(await groups().show(P2, made.id)).toMatchObject({ shared: true, name: 'a' });
    expect(rulesOf(await groups().show(P2, made.id))).toHaveLength(2);
    expect(await groups().show(memberOf('p1'), made.id)).toMatchObject({ shared: false });
    for (const attempt of await Promise.allSettled([
      groups().update(P2, made.id, { name: 'x' }),
      groups().delete(P2, made.id),
    ]))
      expect(attempt).toMatchObject({ reason: { type: 'PolicyNotAuthorized', status: 403 } });
    await expect(groups().show(memberOf('p3'), made.id)).rejects.toMatchObject({ status: 404 });
  });
});

describe("a port's security groups", () => {
  test('are visible to the caller, and belong to its project or are shared with it', async () => {
    const net = await network('p2');
    const [own, foreign, shared] = [await world.group({}, P2), await world.group(), await world.group()];
    await world.share(SECURITY_GROUP, shared.id, 'p2');
    const create = (ids: readonly string[], caller = P2, values: object = {}) =>
      world.create('port', { network_id: net, security_groups: ids, ...values }, caller);
    const usable = await create([own.id, shared.id]);
    expect(usable.security_groups).toEqual([own.id, shared.id].sort());
    const ports = world.services.of('port');
    for (const attempt of await Promise.allSettled([
      create([foreign.id]),
      create([own.id, foreign.id]),
      ports.update(P2, usable.id, { security_groups: [foreign.id] }),
    ]))
      expect(attempt).toMatchObject({ reason: { type: 'SecurityGroupNotFound', status: 404 } });
    expect((await world.portOf(usable.id)).security_groups).toEqual([own.id, shared.id].sort());
    expect(await ports.update(P2, usable.id, { security_groups: null })).toMatchObject({ security_groups: [] });
    expect(await create([foreign.id], ADMIN, { project_id: 'p2' })).toMatchObject({ security_groups: [foreign.id] });
    // A service that sees all projects does not mix them.
    const service = { ...memberOf('ps'), roles: ['advsvc', 'admin'], isAdvsvc: true };
    await expect(create([own.id], service)).rejects.toMatchObject({ type: 'SecurityGroupNotFound' });
    expect(await create([own.id], service, { project_id: 'p2' })).toMatchObject({ security_groups: [own.id] });
  });

  test('are all stateful, or all stateless', async () => {
    const net = await network();
    const [stateful, stateless] = [await world.group(), await world.group({ stateful: false })];
    const security_groups = [stateful.id, stateless.id];
    await expect(world.port(net, { security_groups })).rejects.toMatchObject({
      type: 'SecurityGroupConflict',
      status: 409,
    });
    const port = await world.port(net, { security_groups: [stateless.id] });
    await expect(world.updatePort(port.id, { security_groups })).rejects.toMatchObject({
      type: 'SecurityGroupConflict',
    });
  });
});

describe('the rules that new groups start with', () => {
  const starting = () => world.services.of('default_security_group_rule');

  test('are those of Neutron at first', async () => {
    const listed = await world.list('default_security_group_rule');
    expect(
      listed
        .map(
          (r) =>
            `${r.direction} ${r.ethertype} ${r.remote_group_id} ${r.used_in_default_sg} ${r.used_in_non_default_sg}`,
        )
        .sort(),
    ).toEqual([
      'egress IPv4 null true true',
      'egress IPv6 null true true',
      'ingress IPv4 PARENT true false',
      'ingress IPv6 PARENT true false',
    ]);
    expect(listed[0]).toHaveProperty(
      'description',
      expect.stringMatching(/^Legacy default SG rule for (in|e)gress traffic$/),
    );
  });

  test('apply to groups that are created from then on', async () => {
    const before = await world.group();
    const made = await world.create('default_security_group_rule', {
      direction: 'ingress',
      protocol: 'tcp',
      port_range_min: 22,
      port_range_max: 22,
      remote_group_id: 'PARENT',
    });
    expect(made).toEqual({
      id: made.id,
      ...{ direction: 'ingress', ethertype: 'IPv4', protocol: 'tcp', port_range_min: 22, port_range_max: 22 },
      ...{ remote_ip_prefix: null, remote_group_id: 'PARENT', remote_address_group_id: null, description: '' },
      ...{ used_in_default_sg: false, used_in_non_default_sg: true },
    });
    const after = await world.group();
    expect(rulesOf(after)).toHaveLength(3);
    expect(rulesOf(after)).toContainEqual(
      expect.objectContaining({ port_range_min: 22, remote_group_id: after.id, description: null }),
    );
    expect(rulesOf(await groups().show(ADMIN, before.id))).toHaveLength(2);
    const [own] = await world.list('security_group', P2);
    expect(rulesOf(own ?? {})).toHaveLength(4);
    await starting().delete(ADMIN, made.id);
    await expect(starting().delete(ADMIN, made.id)).rejects.toMatchObject({ type: 'DefaultSecurityGroupRuleNotFound' });
    expect(rulesOf(await world.group())).toHaveLength(2);
  });

  test('exist once for each kind of group', async () => {
    const rule = { direction: 'ingress', protocol: 'tcp', used_in_default_sg: true, used_in_non_default_sg: true };
    const make = (values: object) => world.create('default_security_group_rule', { ...rule, ...values });
    await make({});
    for (const values of [{}, { protocol: '6', used_in_non_default_sg: false }, { used_in_default_sg: false }])
      await expect(make(values)).rejects.toMatchObject({ type: 'DefaultSecurityGroupRuleExists', status: 409 });
    await make({ protocol: 'udp', used_in_default_sg: false });
    await make({ protocol: 'udp', used_in_non_default_sg: false });
    await expect(make({ port_range_min: 5, protocol: null })).rejects.toMatchObject({
      type: 'SecurityGroupProtocolRequiredWithPorts',
    });
  });

  test('may name a group or an address group; without the group they no longer apply', async () => {
    const other = await world.group();
    const rule = { direction: 'ingress', protocol: 'tcp' };
    await world.create('default_security_group_rule', { ...rule, remote_group_id: other.id });
    expect(rulesOf(await world.group())).toHaveLength(3);
    await groups().delete(ADMIN, other.id);
    expect(rulesOf(await world.group())).toHaveLength(2);
    const addresses = await world.create('address_group', { addresses: ['10.0.0.0/8'] });
    await world.create('default_security_group_rule', { ...rule, remote_address_group_id: addresses.id });
    await expect(world.services.of('address_group').delete(ADMIN, addresses.id)).rejects.toMatchObject({
      type: 'AddressGroupInUse',
    });
    expect(rulesOf(await world.group())).toHaveLength(3);
  });

  test('belong to administrators', async () => {
    expect(await world.list('default_security_group_rule', P2)).toEqual([]);
    await expect(world.create('default_security_group_rule', { direction: 'ingress' }, P2)).rejects.toMatchObject({
      status: 403,
    });
    const [first] = await world.list('default_security_group_rule');
    await expect(starting().delete(P2, String(first?.id))).rejects.toMatchObject({ status: 404 });
  });
});

test('rules are loaded only for lists that show them', async () => {
  await world.group({ name: 'a' });
  const service = groups();
  const query = { filters: { name: ['a'] }, sorts: [], pageReverse: false };
  const [listed] = await service.list(ADMIN, { ...query, fields: ['id', 'name'] });
  expect(rulesOf(listed ?? {})).toEqual([]);
  const [whole] = await service.list(ADMIN, { ...query, fields: ['security_group_rules'] });
  expect(rulesOf(whole ?? {})).toHaveLength(2);
});
