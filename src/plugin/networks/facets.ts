import type { Trx } from '../../db/database.ts';
import { ROUTER_GATEWAY_OWNER } from '../../net/device-owners.ts';
import { neutronError } from '../../resources/errors.ts';
import { NETWORK } from '../../resources/network.ts';
import { bumpRevision } from '../../store/standard-attributes.ts';
import type { Core } from '../core.ts';
import { deleteUnusedFloatingIps } from '../floatingips/delete.ts';
import {
  addEntry,
  EVERYBODY,
  projectsWithAccess,
  removeEntries,
  removeForEverybody,
  shareWithAll,
} from '../rbac/sharing.ts';
import { isNeeded } from '../rbac/unshare.ts';

const EXTERNAL = 'access_as_external';

const portProjects = (trx: Trx, networkId: string) =>
  trx.selectFrom('ports').select('project_id').distinct().where('network_id', '=', networkId);

/**
 * Returns the projects that use a network by an action: as a shared one, those with ports on it; as an external one, those whose
 * routers have gateways on it, and all if it is the default external network.
 */
export async function networkUsers(trx: Trx, networkId: string, action: string): Promise<readonly string[]> {
  if (action !== EXTERNAL) return (await portProjects(trx, networkId).execute()).map((row) => row.project_id);
  const routers = await trx
    .selectFrom('ports')
    .innerJoin('routers', 'routers.id', 'ports.device_id')
    .select('routers.project_id')
    .distinct()
    .where('ports.network_id', '=', networkId)
    .where('ports.device_owner', '=', ROUTER_GATEWAY_OWNER)
    .execute();
  const external = await externalRow(trx, networkId);
  return [...(external?.is_default === 1 ? [EVERYBODY] : []), ...routers.map((row) => row.project_id)];
}

/** As in Neutron, `shared: false` considers subnets too, but no ports that belong to the network itself or to routers. */
async function projectsOn(trx: Trx, networkId: string): Promise<readonly string[]> {
  const rows = await portProjects(trx, networkId)
    .where('device_owner', 'not like', 'network:%')
    .union(trx.selectFrom('subnets').select('project_id').where('network_id', '=', networkId))
    .execute();
  return rows.map((row) => row.project_id);
}

/**
 * Shares a network with all projects, or stops sharing it. Throws InvalidSharedSetting while projects use it that have no entry of
 * their own.
 */
export async function setShared(trx: Trx, networkId: string, projectId: string, shared: boolean): Promise<void> {
  if (shared) {
    await shareWithAll(trx, NETWORK, networkId, projectId);
    return;
  }
  const withdrawn = { id: networkId, owner: projectId, target: EVERYBODY };
  if (!(await removeForEverybody(trx, NETWORK, networkId))) return;
  if (await isNeeded(trx, { resource: NETWORK, usersOf: projectsOn }, withdrawn))
    throw neutronError('InvalidSharedSetting', { id: networkId });
}

const externalRow = (trx: Trx, networkId: string) =>
  trx.selectFrom('externalnetworks').selectAll().where('network_id', '=', networkId).executeTakeFirst();

/** Deletes the network's floating IPs. Throws ExternalNetworkInUse while routers have gateways on the network. */
async function makeInternal(trx: Trx, { db }: Core, networkId: string): Promise<void> {
  const gateway = await trx
    .selectFrom('ports')
    .select('id')
    .where('network_id', '=', networkId)
    .where('device_owner', '=', ROUTER_GATEWAY_OWNER)
    .limit(1)
    .executeTakeFirst();
  if (gateway) throw neutronError('ExternalNetworkInUse', { id: networkId });
  await deleteUnusedFloatingIps(trx, db, networkId);
  await releaseDefault(trx, networkId);
  await trx.deleteFrom('externalnetworks').where('network_id', '=', networkId).execute();
  await removeEntries(trx, NETWORK, networkId, EXTERNAL);
}

/** Makes a network the default external one. Throws DefaultExternalNetworkExists if there is another one: the key decides. */
async function claimDefault(trx: Trx, networkId: string): Promise<void> {
  await trx.insertInto('defaultexternalnetwork').ignore().values({ slot: 1, network_id: networkId }).execute();
  const kept = await trx.selectFrom('defaultexternalnetwork').select('network_id').executeTakeFirst();
  if (kept && kept.network_id !== networkId)
    throw neutronError('DefaultExternalNetworkExists', { id: kept.network_id });
}

const releaseDefault = (trx: Trx, networkId: string) =>
  trx.deleteFrom('defaultexternalnetwork').where('network_id', '=', networkId).execute();

/** Makes a network external, for all projects, or internal. Throws ExternalNetworkInUse, DefaultExternalNetworkExists. */
export async function setExternal(
  trx: Trx,
  core: Core,
  { id, project_id: projectId }: { readonly id: string; readonly project_id: string },
  wanted: { readonly external?: boolean | undefined; readonly isDefault?: boolean | undefined },
): Promise<void> {
  const now = await externalRow(trx, id);
  const external = wanted.external ?? now !== undefined;
  if (!external) {
    if (now) await makeInternal(trx, core, id);
    return;
  }
  const isDefault = wanted.isDefault ?? now?.is_default === 1;
  if (isDefault) await claimDefault(trx, id);
  else if (now?.is_default === 1) await releaseDefault(trx, id);
  if (now)
    await trx
      .updateTable('externalnetworks')
      .set({ is_default: isDefault ? 1 : 0 })
      .where('network_id', '=', id)
      .execute();
  else {
    await trx
      .insertInto('externalnetworks')
      .values({ network_id: id, is_default: isDefault ? 1 : 0 })
      .execute();
    await addEntry(trx, NETWORK, { objectId: id, projectId, target: EVERYBODY, action: EXTERNAL });
  }
}

/** A network is external as long as an entry says so to any project. Throws ExternalNetworkInUse. */
export async function networkEntriesChanged(trx: Trx, core: Core, networkId: string): Promise<void> {
  const external = (await projectsWithAccess(trx, NETWORK, networkId, EXTERNAL)).size > 0;
  const now = await externalRow(trx, networkId);
  if (external && !now)
    await trx.insertInto('externalnetworks').values({ network_id: networkId, is_default: 0 }).execute();
  if (!external && now) await makeInternal(trx, core, networkId);
  const row = await trx
    .selectFrom('networks')
    .select('standard_attr_id')
    .where('id', '=', networkId)
    .executeTakeFirst();
  if (row) await bumpRevision(trx, row.standard_attr_id);
}
