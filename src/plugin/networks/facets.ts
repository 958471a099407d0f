import { randomUUID } from 'node:crypto';
import type { Trx } from '../../db/database.ts';
import { neutronError } from '../../resources/errors.ts';

/** Shares a network with all projects, or stops sharing it. Throws InvalidSharedSetting while other projects use it. */
export async function setShared(trx: Trx, networkId: string, projectId: string, shared: boolean): Promise<void> {
  const rows = () =>
    trx
      .deleteFrom('networkrbacs')
      .where('object_id', '=', networkId)
      .where('action', '=', 'access_as_shared')
      .where('target_project', '=', '*');
  if (!shared) {
    const foreign = await trx
      .selectFrom('ports')
      .select('id')
      .where('network_id', '=', networkId)
      .where('project_id', 'not in', [projectId, ''])
      .limit(1)
      .executeTakeFirst();
    if (foreign) throw neutronError('InvalidSharedSetting', { id: networkId });
  }
  await rows().execute();
  if (shared)
    await trx
      .insertInto('networkrbacs')
      .values({
        id: randomUUID(),
        object_id: networkId,
        project_id: projectId,
        target_project: '*',
        action: 'access_as_shared',
      })
      .execute();
}

/** Makes a network external or internal; `isDefault`: it is the default external network. */
export async function setExternal(trx: Trx, networkId: string, external: boolean, isDefault: boolean): Promise<void> {
  await trx.deleteFrom('externalnetworks').where('network_id', '=', networkId).execute();
  if (external)
    await trx
      .insertInto('externalnetworks')
      .values({ network_id: networkId, is_default: isDefault ? 1 : 0 })
      .execute();
}

/** Throws QosPolicyNotFound for any policy, because there are no QoS policies yet. */
export function rejectQosPolicy(policy: string | null | undefined): void {
  if (policy !== null && policy !== undefined) throw neutronError('QosPolicyNotFound', { id: policy });
}
