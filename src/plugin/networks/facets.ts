import type { Trx } from '../../db/database.ts';
import { neutronError } from '../../resources/errors.ts';
import { NETWORK } from '../../resources/network.ts';
import { removeForEverybody, shareWithAll } from '../rbac/sharing.ts';

/** Shares a network with all projects, or stops sharing it. Throws InvalidSharedSetting while other projects use it. */
export async function setShared(trx: Trx, networkId: string, projectId: string, shared: boolean): Promise<void> {
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
  if (shared) await shareWithAll(trx, NETWORK, networkId, projectId);
  else await removeForEverybody(trx, NETWORK, networkId);
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
