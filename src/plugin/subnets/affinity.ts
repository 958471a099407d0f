import type { Trx } from '../../db/database.ts';
import { neutronError } from '../../resources/errors.ts';
import { PREFIX_DELEGATION } from '../../resources/subnetpool-types.ts';
import type { LockedPool } from '../subnetpools/lock.ts';

/**
 * Subnets of a network with the same IP version come from one place: the same pool, pools of the same address scope, prefix delegation,
 * or no pool at all. Throws NetworkAddressScopeAffinityError and NetworkSubnetPoolAffinityError. `pools`: the locked pools of the
 * network's subnets and of the new one.
 */
export async function requireAffinity(
  trx: Trx,
  networkId: string,
  version: number,
  poolId: string | undefined,
  pools: ReadonlyMap<string, LockedPool>,
): Promise<void> {
  const subnets = await trx
    .selectFrom('subnets')
    .select('subnetpool_id')
    .distinct()
    .where('network_id', '=', networkId)
    .where('ip_version', '=', version)
    .execute();
  const others = subnets.map(({ subnetpool_id: id }) => id ?? undefined).filter((id) => id !== poolId);
  if (others.length === 0) return;
  if (poolId === undefined || poolId === PREFIX_DELEGATION) throw neutronError('NetworkSubnetPoolAffinityError');
  const scopeOf = (id: string | undefined) => (id === undefined ? null : (pools.get(id)?.address_scope_id ?? null));
  const scopes = new Set(others.map(scopeOf));
  scopes.delete(null);
  if (scopes.size === 0) throw neutronError('NetworkSubnetPoolAffinityError');
  if (!scopes.has(scopeOf(poolId))) throw neutronError('NetworkAddressScopeAffinityError');
}
