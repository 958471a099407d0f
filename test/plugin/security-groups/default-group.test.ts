import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Caller } from '../../../src/auth/contract.ts';
import { migrate } from '../../../src/db/migrate.ts';
import { ADMIN, memberOf } from '../../support/core.ts';
import { createGroupWorld, type GroupWorld, matches, rulesOf } from './world.ts';

let world: GroupWorld;
beforeEach(async () => {
  world = await createGroupWorld();
});
afterEach(() => world.close());

const P2 = memberOf('p2');
const withQuota = async (limit: number) => {
  await world.close();
  world = await createGroupWorld({ quotas: { quota_security_group_rule: limit } });
};
const defaultRules = (id: string) => [`egress IPv4`, `egress IPv6`, `ingress IPv4 ${id}`, `ingress IPv6 ${id}`];
const defaultGroups = async (caller: Caller = ADMIN) =>
  (await world.list('security_group', caller)).filter(({ name }) => name === 'default');

describe('the default security group of a project', () => {
  test('comes with the rules of Neutron at the first list', async () => {
    const [group, ...others] = await world.list('security_group', P2);
    expect(others).toEqual([]);
    expect(group).toMatchObject({ name: 'default', description: 'Default security group', project_id: 'p2' });
    expect(group).toMatchObject({ stateful: true, shared: false, tags: [], revision_number: 1 });
    expect(matches(rulesOf(group ?? {}))).toEqual(defaultRules(String(group?.id)));
    for (const rule of rulesOf(group ?? {}))
      expect(rule).toMatchObject({ project_id: 'p2', belongs_to_default_sg: true, description: null, protocol: null });
    expect(await world.list('security_group', P2)).toEqual([group]);
  });

  test.each([
    ['a list of rules', () => world.list('security_group_rule', P2)],
    ['its first group', () => world.group({ name: 'g' }, P2)],
    ['its first port', async () => world.create('port', { network_id: await ownNetwork() }, P2)],
    ['a port that an administrator creates for it', async () => world.port(await ownNetwork(), { project_id: 'p2' })],
  ])('is created by %s', async (_, use) => {
    await use();
    const [group] = (await world.list('security_group')).filter(({ project_id }) => project_id === 'p2');
    const own = (await world.list('security_group', ADMIN, { project_id: ['p2'] })).find(
      ({ name }) => name === 'default',
    );
    expect(group).toBeDefined();
    expect(matches(rulesOf(own ?? {}))).toEqual(defaultRules(String(own?.id)));
  });

  const ownNetwork = async (): Promise<string> => {
    const { id } = await world.create('network', { project_id: 'p2' }, memberOf('p2'));
    await world.subnet(id, '10.0.0.0/24');
    return id;
  };

  test('is not created for a project by the lists of others, whoever they are (CVE-2022-3277)', async () => {
    for (const caller of [memberOf('p3'), ADMIN])
      for (const filters of [{ project_id: ['p2'] }, { tenant_id: ['p2'] }])
        for (const resource of ['security_group', 'security_group_rule']) await world.list(resource, caller, filters);
    expect(await world.count('default_security_group')).toBe(0);
    await world.list('security_group', memberOf(''));
    expect(await world.count('default_security_group')).toBe(0);
  });

  test('is created by a network of the project, or of an administrator for it, but of nobody else', async () => {
    const projects = async () => {
      const rows = await world.core.db.kysely.selectFrom('default_security_group').select('project_id').execute();
      return rows.map((row) => row.project_id).sort();
    };
    const service = { ...memberOf('ps'), roles: ['advsvc', 'admin'], isAdvsvc: true };
    const { id } = await world.create('network', { project_id: 'p2' }, service);
    const port = await world.create('port', { network_id: id, project_id: 'p2' }, service);
    expect(port.security_groups).toEqual([]);
    expect(await projects()).toEqual([]);
    await world.create('network', {}, P2);
    await world.network({ project_id: 'p3' });
    expect(await projects()).toEqual(['p2', 'p3']);
  });

  test('is only one, however many ask at once', async () => {
    const network = await ownNetwork();
    const ports = Promise.all(Array.from({ length: 4 }, () => world.create('port', { network_id: network }, P2)));
    const lists = Promise.all(Array.from({ length: 8 }, () => world.list('security_group', P2)));
    const used = new Set([
      ...(await ports).flatMap((port) => port.security_groups),
      ...(await lists).flat().map(({ id }) => id),
    ]);
    expect(used.size).toBe(1);
    expect(await world.count('securitygroups')).toBe(1);
    expect(await world.count('securitygrouprules')).toBe(4);
  });

  test('counts against the quota of rules, and a list without it is answered', async () => {
    await withQuota(3);
    expect(await world.list('security_group', P2)).toEqual([]);
    const network = await ownNetwork();
    await expect(world.create('port', { network_id: network }, P2)).rejects.toMatchObject({ type: 'OverQuota' });
    await expect(world.group({}, P2)).rejects.toMatchObject({ type: 'OverQuota' });
    await withQuota(5);
    expect(await defaultGroups(P2)).toHaveLength(1);
    await expect(world.group({}, P2)).rejects.toMatchObject({ type: 'OverQuota' });
  });

  test('is not renamed, and only administrators delete it; then the next use creates another', async () => {
    const [group] = await defaultGroups(P2);
    const id = String(group?.id);
    const groups = world.services.of('security_group');
    for (const caller of [P2, ADMIN])
      await expect(groups.update(caller, id, { name: 'x' })).rejects.toMatchObject({
        type: 'SecurityGroupCannotUpdateDefault',
        status: 409,
      });
    expect(await groups.update(P2, id, { description: 'd' })).toMatchObject({ description: 'd', name: 'default' });
    await expect(groups.delete(P2, id)).rejects.toMatchObject({
      type: 'SecurityGroupCannotRemoveDefault',
      status: 409,
    });
    await groups.delete(ADMIN, id);
    const [next] = await defaultGroups(P2);
    expect(next?.id).not.toBe(id);
  });

  test('of an earlier version gets its rules by the migration, and the rules that groups start with stay as they are', async () => {
    const [group] = await defaultGroups(P2);
    const before = await world.list('default_security_group_rule');
    const { db } = world.core;
    await db.kysely.deleteFrom('securitygrouprules').execute();
    await sql`delete from neutrino_migrations where name = '0008-security-group-rules'`.execute(db.kysely);
    await migrate(db);
    const [after] = await defaultGroups(P2);
    expect(matches(rulesOf(after ?? {}))).toEqual(defaultRules(String(group?.id)));
    expect(await world.list('default_security_group_rule')).toEqual(before);
    // The keys of the migration are those of the rules.
    await expect(world.rule(String(group?.id), { direction: 'egress' }, P2)).rejects.toMatchObject({
      type: 'SecurityGroupRuleExists',
    });
    await expect(world.rule(String(group?.id), { remote_group_id: group?.id }, P2)).rejects.toMatchObject({
      type: 'SecurityGroupRuleExists',
    });
  });
});
