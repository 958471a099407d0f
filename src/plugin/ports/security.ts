import { randomUUID } from 'node:crypto';
import type { Trx } from '../../db/database.ts';
import { prepared } from '../../db/prepared.ts';
import { neutronError } from '../../resources/errors.ts';
import { insertStandardAttributes } from '../../store/standard-attributes.ts';

const findDefault = prepared<{ project: string }, { security_group_id: string }>((db, p) =>
  db.selectFrom('default_security_group').select('security_group_id').where('project_id', '=', p('project')),
);

/** Returns the id of a project's default security group; creates the group if the project has none yet. */
export async function defaultSecurityGroup(trx: Trx, projectId: string): Promise<string> {
  const known = (await findDefault(trx, { project: projectId })).rows[0];
  if (known) return known.security_group_id;
  const id = randomUUID();
  const attr = await insertStandardAttributes(trx, {
    resource_type: 'securitygroups',
    description: 'Default security group',
    revision_number: 1,
  });
  await trx
    .insertInto('securitygroups')
    .values({ id, project_id: projectId, name: 'default', stateful: 1, standard_attr_id: attr })
    .execute();
  // The key is the project: if two servers create it at once, the second waits here, inserts no row, and uses the first one's.
  await trx
    .insertInto('default_security_group')
    .ignore()
    .values({ project_id: projectId, security_group_id: id })
    .execute();
  const kept = (await findDefault(trx, { project: projectId })).rows[0]?.security_group_id ?? id;
  if (kept !== id) await trx.deleteFrom('standardattributes').where('id', '=', attr).execute();
  return kept;
}

/** Throws SecurityGroupNotFound for the first id of a group that does not exist. */
export async function requireSecurityGroups(trx: Trx, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  const rows = await trx
    .selectFrom('securitygroups')
    .select('id')
    .where('id', 'in', [...ids])
    .execute();
  const missing = ids.find((id) => !rows.some((r) => r.id === id));
  if (missing !== undefined) throw neutronError('SecurityGroupNotFound', { id: missing });
}
