import type { Caller } from '../../auth/contract.ts';
import type { Trx } from '../../db/database.ts';
import { NeutronError } from '../../resources/errors.ts';
import type { ListQuery } from '../../store/listing.ts';
import type { Core } from '../core.ts';
import type { Quotas } from '../quotas/limits.ts';
import { defaultSecurityGroup } from './new-group.ts';

/**
 * Creates the default group of the caller's own project before its first list of groups or rules. Lists of other projects create
 * nothing, whoever asks (CVE-2022-3277).
 */
export async function createForList(
  { db }: Core,
  quotas: Quotas,
  { projectId }: Caller,
  { filters }: ListQuery,
): Promise<void> {
  const projects = [...(filters.project_id ?? []), ...(filters.tenant_id ?? [])];
  if (projectId === '' || (projects.length > 0 && !projects.includes(projectId))) return;
  const known = await db.kysely
    .selectFrom('default_security_group')
    .select('security_group_id')
    .where('project_id', '=', projectId)
    .executeTakeFirst();
  if (known) return;
  await unlessOverQuota(() => db.transaction((trx) => defaultSecurityGroup(trx, quotas, projectId)));
}

/** Creates the default group of a new network's project, as Neutron does if the project itself or an administrator creates it. */
export async function createForNetwork(trx: Trx, quotas: Quotas, caller: Caller, project: string): Promise<void> {
  if (project === '' || !(caller.isAdmin || caller.projectId === project)) return;
  await unlessOverQuota(() => defaultSecurityGroup(trx, quotas, project));
}

/** A project without quota for the rules has no default group; what it asked for is done all the same. */
async function unlessOverQuota(create: () => Promise<unknown>): Promise<void> {
  try {
    await create();
  } catch (error) {
    if (!(error instanceof NeutronError && error.type === 'OverQuota')) throw error;
  }
}
