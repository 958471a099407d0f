import type { Caller } from '../../auth/contract.ts';
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
  try {
    await db.transaction((trx) => defaultSecurityGroup(trx, quotas, projectId));
  } catch (error) {
    // A project without quota for these rules has no default group; its list is answered all the same.
    if (!(error instanceof NeutronError && error.type === 'OverQuota')) throw error;
  }
}
