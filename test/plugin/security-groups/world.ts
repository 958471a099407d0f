import type { Caller } from '../../../src/auth/contract.ts';
import type { Document } from '../../../src/plugin/module.ts';
import { ConfiguredQuotas } from '../../../src/plugin/quotas/limits.ts';
import { addEntry } from '../../../src/plugin/rbac/sharing.ts';
import { resourceModules } from '../../../src/plugin/resources.ts';
import type { Resource } from '../../../src/resources/attribute.ts';
import { ADMIN } from '../../support/core.ts';
import { servicesOf } from '../../support/services.ts';
import { type ConfigChanges, createWorld } from '../world.ts';

const EVERYTHING = { filters: {}, sorts: [], pageReverse: false };

type Made = Document & { readonly id: string };

/** A world with quotas, and short ways to work with groups. */
export async function createGroupWorld(changes: ConfigChanges = {}) {
  const world = await createWorld(changes);
  const { core, allocator } = world;
  const quotas = new ConfiguredQuotas(core);
  const services = servicesOf(core, allocator, resourceModules(core, allocator, quotas), quotas);
  const create = async (resource: string, values: object, caller: Caller = ADMIN): Promise<Made> => {
    const [made] = await services.of(resource).create(caller, [values]);
    return { ...made, id: String(made?.id) };
  };
  return {
    ...world,
    services,
    create,
    group: (values: object = {}, caller?: Caller) => create('security_group', values, caller),
    rule: (group: string, values: object = {}, caller?: Caller) =>
      create('security_group_rule', { security_group_id: group, direction: 'ingress', ...values }, caller),
    list: (resource: string, caller: Caller = ADMIN, filters: Record<string, string[]> = {}) =>
      services.of(resource).list(caller, { ...EVERYTHING, filters }),
    share: (resource: Resource, objectId: string, target: string, projectId = 'p1') =>
      core.db.transaction((trx) =>
        addEntry(trx, resource, { objectId, projectId, target, action: 'access_as_shared' }),
      ),
    count: async (table: 'securitygroups' | 'securitygrouprules' | 'standardattributes' | 'default_security_group') => {
      const { n } = await core.db.kysely
        .selectFrom(table)
        .select((eb) => eb.fn.countAll().as('n'))
        .executeTakeFirstOrThrow();
      return Number(n);
    },
  };
}

export type GroupWorld = Awaited<ReturnType<typeof createGroupWorld>>;

/** Returns the rules of a group's document. */
export const rulesOf = (group: Document) => group.security_group_rules as readonly Document[];

/** Returns what rules match, without what is null. */
export const matches = (rules: readonly Document[]) =>
  rules
    .map(({ direction, ethertype, remote_group_id }) => `${direction} ${ethertype} ${remote_group_id ?? ''}`.trim())
    .sort();
