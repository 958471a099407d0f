import type { Trx } from '../../db/database.ts';
import type { PrefixPool } from '../../ipam/free-prefixes.ts';
import { neutronError } from '../../resources/errors.ts';

/** Makes a pool the default one of its IP version. Throws InvalidInput if there is one already: the primary key decides. */
export async function claimDefault(trx: Trx, { id, version }: PrefixPool): Promise<void> {
  const { numInsertedOrUpdatedRows } = await trx
    .insertInto('defaultsubnetpools')
    .ignore()
    .values({ ip_version: version, subnetpool_id: id })
    .executeTakeFirst();
  if ((numInsertedOrUpdatedRows ?? 0n) === 0n)
    throw neutronError('InvalidInput', {
      reason: `another subnet pool is the default for IPv${version}; there can be only one`,
    });
}

/** Makes a pool an ordinary one. */
export async function releaseDefault(trx: Trx, poolId: string): Promise<void> {
  await trx.deleteFrom('defaultsubnetpools').where('subnetpool_id', '=', poolId).execute();
}
