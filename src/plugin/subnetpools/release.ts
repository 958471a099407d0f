import type { Database, Trx } from '../../db/database.ts';
import { releasePrefix } from '../../ipam/free-prefixes.ts';
import { parseCidr } from '../../net/addresses.ts';
import { PREFIX_DELEGATION } from '../../resources/subnetpool-types.ts';
import { groupBy } from '../../store/listing.ts';
import { lockPool, prefixPool } from './lock.ts';

/** A subnet, as stored. */
interface PooledSubnet {
  readonly cidr: string;
  readonly subnetpool_id: string | null;
}

/** Returns the prefixes of subnets that are deleted to their pools, which it locks. */
export async function releasePrefixes(trx: Trx, db: Database, subnets: readonly PooledSubnet[]): Promise<void> {
  const pooled = subnets.filter(({ subnetpool_id: id }) => id !== null && id !== PREFIX_DELEGATION);
  const byPool = groupBy(pooled, ({ subnetpool_id: id }) => id ?? '');
  for (const id of [...byPool.keys()].sort()) {
    const pool = prefixPool(await lockPool(trx, db, id));
    for (const { cidr } of byPool.get(id) ?? []) {
      const prefix = parseCidr(cidr);
      if (prefix) await releasePrefix(trx, pool, prefix);
    }
  }
}
