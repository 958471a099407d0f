import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import type { Queries, Trx } from '../../db/database.ts';
import { neutronError } from '../../resources/errors.ts';
import { quotaResource } from '../../resources/quota.ts';
import { line } from '../../resources/types.ts';
import type { Core } from '../core.ts';
import type { ActionCall, AnyModule, Document } from '../module.ts';
import { defaultLimit, used } from './limits.ts';

type Limits = ReadonlyMap<string, number>;

/** The quotas of the resources that are counted. */
export function quotaModule({ db, config }: Core, modules: readonly AnyModule[]): AnyModule {
  const counted = modules.filter(({ resource }) => resource.quota);
  const defaults: Limits = new Map(counted.map(({ resource: { name } }) => [name, defaultLimit(config, name)]));

  /** Returns the limits that projects have of their own. */
  const ownLimits = async (queries: Queries, projects: readonly string[]): Promise<ReadonlyMap<string, Limits>> => {
    const rows = await queries
      .selectFrom('quotas')
      .selectAll()
      .where('project_id', 'in', [...projects])
      .execute();
    return new Map(
      [...Map.groupBy(rows, (row) => row.project_id)].map(([project, own]) => [
        project,
        new Map(own.map((row) => [row.resource, row.limit])),
      ]),
    );
  };

  const limitsOf = (own: Limits | undefined): Document =>
    Object.fromEntries([...defaults].map(([name, limit]) => [name, own?.get(name) ?? limit]));

  const load: AnyModule['load'] = async (queries, projects, view) => {
    const own = await ownLimits(queries, projects);
    return new Map(
      projects.map((project) => {
        const limits = limitsOf(own.get(project));
        // As in Neutron, only lists name the project.
        return [project, view?.query ? { ...limits, project_id: project, tenant_id: project } : limits];
      }),
    );
  };

  const quota = async (project: string): Promise<Document> =>
    (await load(db.kysely, [project])).get(project) ?? limitsOf(undefined);

  const details = async (_caller: unknown, { id }: ActionCall) => {
    const limits = await quota(id);
    const entries = [];
    for (const module of counted) {
      const { name } = module.resource;
      entries.push([name, { limit: limits[name], used: await used(db.kysely, module, id), reserved: 0 }]);
    }
    return { quota: Object.fromEntries(entries) };
  };

  /** Throws HTTPBadRequest for a limit below what the project uses. */
  const requireUnused = async (trx: Trx, project: string, limits: Limits): Promise<void> => {
    for (const module of counted) {
      const { name } = module.resource;
      const limit = limits.get(name);
      if (limit === undefined || limit < 0) continue;
      const uses = await used(trx, module, project);
      if (uses > limit)
        throw neutronError('HTTPBadRequest', {
          reason: `the limit ${limit} of ${name} is below the ${uses} in use`,
        });
    }
  };

  const ownProject =
    (key: string): NonNullable<AnyModule['actions']>[string] =>
    async ({ projectId }) => {
      if (projectId === '') throw neutronError('QuotaMissingTenant');
      return { [key]: { [`${key}_id`]: projectId } };
    };

  return {
    resource: quotaResource(counted.map(({ resource }) => resource)),
    source: sql`from (select distinct project_id as id, project_id from quotas) as projectquotas`,
    load,
    async update(trx, _caller, id, changes) {
      const project = line(255).parse(id, 'project_id');
      const limits: Limits = new Map(
        [...defaults.keys()].flatMap((name) => (typeof changes[name] === 'number' ? [[name, changes[name]]] : [])),
      );
      if (changes.check_limit === true && changes.force !== true) await requireUnused(trx, project, limits);
      for (const [resource, limit] of limits) await setLimit(trx, project, resource, limit);
      return (await load(trx, [project])).get(project) ?? limitsOf(undefined);
    },
    async delete(trx, _caller, id) {
      const { numDeletedRows } = await trx.deleteFrom('quotas').where('project_id', '=', id).executeTakeFirst();
      if (numDeletedRows === 0n) throw neutronError('TenantQuotaNotFound', { id });
    },
    actions: {
      default: async () => ({ quota: limitsOf(undefined) }),
      details,
      tenant: ownProject('tenant'),
      project: ownProject('project'),
    },
  };
}

async function setLimit(trx: Trx, project: string, resource: string, limit: number): Promise<void> {
  await trx.insertInto('quotas').ignore().values({ id: randomUUID(), project_id: project, resource, limit }).execute();
  await trx
    .updateTable('quotas')
    .set({ limit })
    .where('project_id', '=', project)
    .where('resource', '=', resource)
    .execute();
}
