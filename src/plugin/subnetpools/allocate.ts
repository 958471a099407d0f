import { sql } from 'kysely';
import type { Trx } from '../../db/database.ts';
import { takePrefix, takePrefixOfLength } from '../../ipam/free-prefixes.ts';
import { addressBits, type Cidr, type Ip } from '../../net/addresses.ts';
import { prefixOf } from '../../net/prefix-sets.ts';
import { neutronError } from '../../resources/errors.ts';
import { type LockedPool, prefixPool, versionOf } from './lock.ts';

/** What a new subnet wants of a pool. */
export interface PrefixRequest {
  readonly projectId: string;
  /** A specific prefix. */
  readonly cidr?: Cidr | undefined;
  /** Default: the pool's. */
  readonly prefixLength?: number | undefined;
  /** The prefix must contain it. */
  readonly gateway?: Ip | undefined;
}

/** Quotas count addresses for IPv4, and /64 prefixes for IPv6. */
const unitsOf = (version: 4 | 6, prefixLength: number): number => 2 ** ((version === 4 ? 32 : 64) - prefixLength);

/** Returns how many units of a pool a project has. */
async function usedUnits(trx: Trx, pool: LockedPool, projectId: string): Promise<number> {
  const { rows } = await sql<{
    length: string;
    n: number;
  }>`select substr(cidr, instr(cidr, '/') + 1) as length, count(*) as n
    from subnets where subnetpool_id = ${pool.id} and project_id = ${projectId} group by length`.execute(trx);
  return rows.reduce((sum, { length, n }) => sum + Number(n) * unitsOf(versionOf(pool), Number(length)), 0);
}

/** Throws SubnetPoolQuotaExceeded. */
async function requireQuota(trx: Trx, pool: LockedPool, projectId: string, prefixLength: number): Promise<void> {
  const { default_quota: quota } = pool;
  // As in Neutron, 0 means unlimited.
  if (quota === null || quota === 0) return;
  const wanted = unitsOf(versionOf(pool), prefixLength);
  if ((await usedUnits(trx, pool, projectId)) + wanted > quota) throw neutronError('SubnetPoolQuotaExceeded');
}

/** Throws MinPrefixSubnetAllocationError, MaxPrefixSubnetAllocationError and AddrFormatError. */
function requireLength(pool: LockedPool, length: number): void {
  if (length > addressBits(versionOf(pool)))
    throw neutronError('AddrFormatError', { cidr: `${pool.ip_version === 6 ? '::' : '0.0.0.0'}/${length}` });
  if (length > pool.max_prefixlen)
    throw neutronError('MaxPrefixSubnetAllocationError', { length, limit: pool.max_prefixlen });
  if (length < pool.min_prefixlen)
    throw neutronError('MinPrefixSubnetAllocationError', { length, limit: pool.min_prefixlen });
}

/**
 * Allocates the prefix of a new subnet from a locked pool. Throws SubnetAllocationError if it has no room, and errors for lengths and
 * quotas that the pool does not allow.
 */
export async function allocatePrefix(trx: Trx, pool: LockedPool, request: PrefixRequest): Promise<Cidr> {
  const length = request.cidr?.prefixLength ?? request.prefixLength ?? pool.default_prefixlen;
  requireLength(pool, length);
  await requireQuota(trx, pool, request.projectId, length);
  const { gateway } = request;
  const cidr = request.cidr ?? (gateway && prefixOf(gateway.version, gateway.value, length));
  if (!cidr) {
    const found = await takePrefixOfLength(trx, prefixPool(pool), length);
    if (found) return found;
    throw neutronError('SubnetAllocationError', {
      reason: `the subnet pool has no free prefix of length ${length}`,
    });
  }
  if (cidr.version === versionOf(pool) && (await takePrefix(trx, prefixPool(pool), cidr))) return cidr;
  throw neutronError('SubnetAllocationError', {
    reason: 'Cannot allocate requested subnet from the available set of prefixes',
  });
}
