import type { Caller } from '../../auth/contract.ts';
import type { Queries } from '../../db/database.ts';
import { neutronError } from '../../resources/errors.ts';
import { SUBNETPOOL } from '../../resources/subnetpool.ts';
import { isVisible } from '../visibility.ts';

export const allocationFailure = (reason: string) => neutronError('AutoAllocationFailure', { reason });

/** Returns the default external network. Throws AutoAllocationFailure if there is none. */
export async function defaultExternalNetwork(db: Queries): Promise<string> {
  const row = await db.selectFrom('defaultexternalnetwork').select('network_id').executeTakeFirst();
  if (!row) throw allocationFailure('No default router:external network');
  return row.network_id;
}

/** A default subnet pool. */
export interface DefaultPool {
  readonly id: string;
  readonly version: 4 | 6;
}

/** Returns the default subnet pools that the caller may see. */
export async function defaultPools(db: Queries, caller: Caller): Promise<readonly DefaultPool[]> {
  const rows = await db.selectFrom('defaultsubnetpools').selectAll().orderBy('ip_version').execute();
  const pools: DefaultPool[] = [];
  for (const { subnetpool_id: id, ip_version } of rows)
    if (await isVisible(db, caller, SUBNETPOOL, id)) pools.push({ id, version: ip_version === 6 ? 6 : 4 });
  return pools;
}
