import type { Trx } from '../../db/database.ts';
import { neutronError } from '../../resources/errors.ts';
import { PREFIX_DELEGATION } from '../../resources/subnetpool-types.ts';
import type { LockedPool } from '../subnetpools/lock.ts';

/** The id of a subnet pool, `prefix_delegation`, or undefined for none: where the prefix of a subnet comes from. */
export type Origin = string | undefined;

/** Returns the origins of a network's subnets of one IP version, each once. */
export async function originsIn(trx: Trx, networkId: string, version: number): Promise<readonly Origin[]> {
  const rows = await trx
    .selectFrom('subnets')
    .select('subnetpool_id')
    .distinct()
    .where('network_id', '=', networkId)
    .where('ip_version', '=', version)
    .execute();
  return rows.map(({ subnetpool_id: id }) => id ?? undefined);
}

/**
 * Subnets of a network with the same IP version come from one origin, or from pools of one address scope. Throws
 * NetworkAddressScopeAffinityError and NetworkSubnetPoolAffinityError. `pools`: the locked pools of all of them.
 */
export function requireAffinity(
  origin: Origin,
  existing: readonly Origin[],
  pools: ReadonlyMap<string, LockedPool>,
): void {
  const others = existing.filter((other) => other !== origin);
  if (others.length === 0) return;
  if (origin === undefined || origin === PREFIX_DELEGATION) throw neutronError('NetworkSubnetPoolAffinityError');
  const scopeOf = (id: Origin) => (id === undefined ? null : (pools.get(id)?.address_scope_id ?? null));
  const scopes = new Set(others.map(scopeOf));
  scopes.delete(null);
  if (scopes.size === 0) throw neutronError('NetworkSubnetPoolAffinityError');
  if (!scopes.has(scopeOf(origin))) throw neutronError('NetworkAddressScopeAffinityError');
}
