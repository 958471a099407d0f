import type { Caller } from '../../auth/contract.ts';
import type { Queries, Trx } from '../../db/database.ts';
import { parseCidr } from '../../net/addresses.ts';
import { type AddressSet, addressSet, intersection } from '../../net/prefix-sets.ts';
import { ADDRESS_SCOPE } from '../../resources/address-scope.ts';
import { neutronError } from '../../resources/errors.ts';
import { lockAddressScope } from '../address-scopes/lock.ts';
import type { Core } from '../core.ts';
import { EVERYBODY, projectsWithAccess, sharedAmong } from '../rbac/sharing.ts';
import { requireVisible } from '../visibility.ts';
import { type LockedPool, lockPool } from './lock.ts';

/** What a pool has, or is to have. */
interface ScopedPool {
  readonly id: string;
  readonly version: 4 | 6;
  readonly prefixes: AddressSet;
}

/**
 * Locks the address scope that a caller chooses for a pool. Throws AddressScopeNotFound,
 * IllegalSubnetPoolAssociationToAddressScope and IllegalSubnetPoolIpVersionAssociationToAddressScope.
 */
export async function chooseScope(trx: Trx, core: Core, caller: Caller, pool: ScopedPool, id: string): Promise<void> {
  await requireVisible(trx, caller, ADDRESS_SCOPE, id);
  const scope = await lockAddressScope(trx, core.db, id);
  const usable =
    caller.isAdmin ||
    scope.project_id === caller.projectId ||
    (await sharedAmong(trx, ADDRESS_SCOPE, [id], { caller })).has(id);
  if (!usable) throw neutronError('IllegalSubnetPoolAssociationToAddressScope', { pool: pool.id, scope: id });
  if (scope.ip_version !== pool.version)
    throw neutronError('IllegalSubnetPoolIpVersionAssociationToAddressScope', {
      pool: pool.id,
      scope: id,
      version: scope.ip_version,
    });
}

/** Throws AddressScopePrefixConflict if another pool of the address scope, which must be locked, has some of the prefixes. */
export async function requireUniquePrefixes(trx: Trx, pool: ScopedPool, scopeId: string): Promise<void> {
  const others = await trx
    .selectFrom('subnetpoolprefixes')
    .innerJoin('subnetpools', 'subnetpools.id', 'subnetpoolprefixes.subnetpool_id')
    .select('cidr')
    .where('address_scope_id', '=', scopeId)
    .where('subnetpools.id', '<>', pool.id)
    .execute();
  const known = addressSet(others.flatMap(({ cidr }) => parseCidr(cidr) ?? []));
  if (intersection(known, pool.prefixes).length > 0) throw neutronError('AddressScopePrefixConflict');
}

/** Throws IllegalSubnetPoolUpdate if the pool is in an address scope of another project. */
export async function requireOwnScope(trx: Trx, caller: Caller, pool: LockedPool): Promise<void> {
  const { address_scope_id: id } = pool;
  if (id === null || caller.isAdmin) return;
  const scope = await trx.selectFrom('addressscopes').select('project_id').where('id', '=', id).executeTakeFirst();
  if (scope?.project_id !== caller.projectId)
    throw neutronError('IllegalSubnetPoolUpdate', {
      reason: `address scope ${id} of subnet pool ${pool.id} belongs to another project`,
    });
}

/** Throws InvalidInput if a project (`*`: all) is to share the pool, but not its address scope. */
export async function requireScopeFor(trx: Trx, core: Core, poolId: string, target: string): Promise<void> {
  const { address_scope_id: scopeId } = await lockPool(trx, core.db, poolId);
  if (scopeId === null) return;
  const scope = await lockAddressScope(trx, core.db, scopeId);
  const targets = await projectsWithAccess(trx, ADDRESS_SCOPE, scopeId, 'access_as_shared');
  if (scope.project_id !== target && !targets.has(target) && !targets.has(EVERYBODY))
    throw neutronError('InvalidInput', {
      reason: `subnetpool ${poolId} cannot be shared with ${target}, which has no access to its address scope ${scopeId}`,
    });
}

/** Throws NetworkAddressScopeAffinityError if networks with subnets of the pool have others of the same IP version. */
export async function requireWholeNetworks(trx: Trx, pool: LockedPool): Promise<void> {
  const other = await trx
    .selectFrom('subnets as own')
    .innerJoin('subnets as other', 'other.network_id', 'own.network_id')
    .select('other.id')
    .where('own.subnetpool_id', '=', pool.id)
    .where('other.ip_version', '=', pool.ip_version)
    .where((eb) => eb.or([eb('other.subnetpool_id', 'is', null), eb('other.subnetpool_id', '<>', pool.id)]))
    .limit(1)
    .executeTakeFirst();
  if (other) throw neutronError('NetworkAddressScopeAffinityError');
}

/** Returns the address scopes of networks by IP version: those of the pools that their subnets come from. */
export async function scopesOfNetworks(
  db: Queries,
  networkIds: readonly string[],
): Promise<ReadonlyMap<string, { readonly 4?: string; readonly 6?: string }>> {
  const rows = await db
    .selectFrom('subnets')
    .innerJoin('subnetpools', 'subnetpools.id', 'subnets.subnetpool_id')
    .select(['subnets.network_id', 'subnetpools.ip_version', 'subnetpools.address_scope_id'])
    .distinct()
    .where('subnets.network_id', 'in', [...networkIds])
    .where('subnetpools.address_scope_id', 'is not', null)
    .execute();
  const scopes = new Map<string, { readonly 4?: string; readonly 6?: string }>();
  for (const { network_id: id, ip_version, address_scope_id } of rows)
    scopes.set(id, { ...scopes.get(id), [ip_version]: address_scope_id ?? undefined });
  return scopes;
}
