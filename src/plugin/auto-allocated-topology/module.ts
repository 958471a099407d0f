import type { Caller } from '../../auth/contract.ts';
import type { Queries } from '../../db/database.ts';
import type { AddressAllocator } from '../../ipam/allocate.ts';
import type { DocumentOf } from '../../resources/attribute.ts';
import { AUTO_ALLOCATED_TOPOLOGY } from '../../resources/auto-allocated-topology.ts';
import { neutronError } from '../../resources/errors.ts';
import type { Core } from '../core.ts';
import type { ResourceModule } from '../module.ts';
import type { Quotas } from '../quotas/limits.ts';
import { buildTopology, removeTopology } from './build.ts';
import { allocationFailure, defaultExternalNetwork, defaultPools } from './requirements.ts';

type Topology = DocumentOf<typeof AUTO_ALLOCATED_TOPOLOGY>;

const DRY_RUN = 'dry-run';

/** Rolls a transaction back whose topology another request has built meanwhile. */
class BuiltMeanwhile extends Error {}

const shown = (id: string, project_id: string): Topology => ({ id, tenant_id: project_id, project_id });

/** Returns the project in a path; as in Neutron, clients write None if they mean their own. Throws NotAuthorized for others. */
function projectOf(caller: Caller, id: string): string {
  const project = id === 'None' ? caller.projectId : id;
  if (!caller.isAdmin && project !== caller.projectId) throw neutronError('NotAuthorized');
  return project;
}

const rowOf = (db: Queries, project: string) =>
  db.selectFrom('auto_allocated_topologies').selectAll().where('project_id', '=', project).executeTakeFirst();

/** Throws AutoAllocationFailure if no topology can be allocated. */
async function requireDeployment(db: Queries, caller: Caller): Promise<void> {
  await defaultExternalNetwork(db);
  if ((await defaultPools(db, caller)).length === 0) throw allocationFailure('there is no default subnet pool');
}

/** Auto-allocated topologies: the first show builds one. `allocator`: shared by the whole process. */
export function autoAllocatedTopologyModule(
  core: Core,
  allocator: AddressAllocator,
  quotas: Quotas,
): ResourceModule<typeof AUTO_ALLOCATED_TOPOLOGY> {
  const { db } = core;

  /** Builds the topology of a project, unless another request does so at the same time; returns the id of its network. */
  async function build(caller: Caller, project: string): Promise<string> {
    const external = await defaultExternalNetwork(db.kysely);
    try {
      await db.transaction(async (trx) => {
        if (await rowOf(trx, project)) return;
        const built = await buildTopology({ trx, core, allocator, quotas, caller }, project, external);
        if (!built) throw new BuiltMeanwhile();
      });
    } catch (error) {
      if (!(error instanceof BuiltMeanwhile)) throw error;
    }
    const row = await rowOf(db.kysely, project);
    if (!row) throw allocationFailure('The topology was deleted while it was allocated');
    return row.network_id;
  }

  return {
    resource: AUTO_ALLOCATED_TOPOLOGY,
    async load(queries, ids, view) {
      const documents = new Map<string, Topology>();
      for (const id of ids) {
        const project = view?.caller ? projectOf(view.caller, id) : id;
        documents.set(id, shown((await rowOf(queries, project))?.network_id ?? '', project));
      }
      return documents;
    },
    async show(caller, id, { fields = [], permit }) {
      const project = projectOf(caller, id);
      await permit('show', { project_id: project });
      const named = fields.filter((field) => field !== '');
      if (named.includes(DRY_RUN)) {
        await requireDeployment(db.kysely, caller);
        return shown('dry-run=pass', project);
      }
      if (named.length > 0)
        throw neutronError('BadRequest', { resource: 'auto_allocate', reason: 'fields must be dry-run, or omitted' });
      const row = await rowOf(db.kysely, project);
      if (row) return shown(row.network_id, project);
      await permit('create', { project_id: project });
      return shown(await build(caller, project), project);
    },
    async delete(trx, caller, id) {
      const row = await rowOf(trx, projectOf(caller, id));
      if (row) await removeTopology({ trx, core, allocator, caller }, row);
    },
  };
}
