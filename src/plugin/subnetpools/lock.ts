import type { Database, Trx } from '../../db/database.ts';
import type { PrefixPool } from '../../ipam/free-prefixes.ts';
import { neutronError } from '../../resources/errors.ts';

/**
 * Returns a pool's row and locks it until the transaction ends: what is allocated from it, its prefixes and its address scope do not
 * change meanwhile. Lock networks before pools, pools in the order of their ids, and address scopes last. Throws SubnetPoolNotFound.
 */
export async function lockPool(trx: Trx, db: Database, id: string) {
  const row = await db.locked(trx.selectFrom('subnetpools').selectAll().where('id', '=', id)).executeTakeFirst();
  if (!row) throw neutronError('SubnetPoolNotFound', { id });
  return row;
}

export type LockedPool = Awaited<ReturnType<typeof lockPool>>;

export const versionOf = ({ ip_version }: { readonly ip_version: number }): 4 | 6 => (ip_version === 6 ? 6 : 4);

export const prefixPool = (pool: LockedPool): PrefixPool => ({ id: pool.id, version: versionOf(pool) });
