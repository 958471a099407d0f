import type { Caller } from '../../auth/contract.ts';
import type { Trx } from '../../db/database.ts';
import type { AddressSet } from '../../net/prefix-sets.ts';
import type { UpdateOf } from '../../resources/attribute.ts';
import { neutronError } from '../../resources/errors.ts';
import { SUBNETPOOL } from '../../resources/subnetpool.ts';
import { plainOf, updatePlain } from '../../store/rows.ts';
import { bumpRevision, requireRevision } from '../../store/standard-attributes.ts';
import { lockAddressScope } from '../address-scopes/lock.ts';
import type { Core } from '../core.ts';
import { inserted } from '../module.ts';
import { boundsOf } from './bounds.ts';
import { claimDefault, releaseDefault } from './default-pool.ts';
import { type SubnetPoolDocument, subnetPoolDocuments } from './documents.ts';
import { type LockedPool, lockPool, prefixPool, versionOf } from './lock.ts';
import { growPrefixes, requestedPrefixes, storedPrefixes } from './prefixes.ts';
import { notifyRoutersOfScope } from './routers.ts';
import { chooseScope, requireOwnScope, requireUniquePrefixes, requireWholeNetworks } from './scope.ts';

/** Returns the requested prefixes. Throws IllegalSubnetPoolPrefixUpdate if they have the other IP version. */
export function prefixesFor(pool: LockedPool, texts: readonly string[]): AddressSet {
  const { version, set } = requestedPrefixes(texts);
  if (version !== versionOf(pool))
    throw neutronError('IllegalSubnetPoolPrefixUpdate', {
      reason: `the prefixes of an IPv${versionOf(pool)} pool cannot be IPv${version}`,
    });
  return set;
}

/**
 * Changes the prefixes and the address scope of a pool; the row itself stays as it is. Throws NeutronError if subnets, other pools of
 * the scope or the scope's owner do not allow it.
 */
export async function changeSpace(
  trx: Trx,
  core: Core,
  caller: Caller,
  pool: LockedPool,
  {
    prefixes,
    scopeId = pool.address_scope_id,
  }: { readonly prefixes?: AddressSet | undefined; readonly scopeId?: string | null | undefined },
): Promise<void> {
  await requireOwnScope(trx, caller, pool);
  const moved = scopeId !== pool.address_scope_id;
  if (scopeId !== null && (moved || prefixes)) {
    const scoped = { ...prefixPool(pool), prefixes: prefixes ?? (await storedPrefixes(trx, pool.id)) };
    if (moved) await chooseScope(trx, core, caller, scoped, scopeId);
    else await lockAddressScope(trx, core.db, scopeId);
    await requireUniquePrefixes(trx, scoped, scopeId);
  }
  if (moved) await requireWholeNetworks(trx, pool);
  if (prefixes) await growPrefixes(trx, prefixPool(pool), prefixes);
}

/** Updates a subnet pool in the caller's transaction; returns its new document. Throws NeutronError. */
export async function updateSubnetPool(
  trx: Trx,
  core: Core,
  caller: Caller,
  id: string,
  changes: UpdateOf<typeof SUBNETPOOL>,
  revision?: number,
): Promise<SubnetPoolDocument> {
  const pool = await lockPool(trx, core.db, id);
  await requireRevision(trx, pool.standard_attr_id, revision);
  const bounds = boundsOf(versionOf(pool), { ...pool, ...changes });
  await changeSpace(trx, core, caller, pool, {
    prefixes: changes.prefixes && prefixesFor(pool, changes.prefixes),
    scopeId: changes.address_scope_id,
  });
  const { is_default: isDefault } = changes;
  if (isDefault === true && pool.is_default === 0) await claimDefault(trx, prefixPool(pool));
  if (isDefault === false) await releaseDefault(trx, id);
  await updatePlain(trx, SUBNETPOOL, { id, attr: pool.standard_attr_id }, plainOf(SUBNETPOOL, changes));
  if (changes.address_scope_id !== undefined && changes.address_scope_id !== pool.address_scope_id)
    await notifyRoutersOfScope(trx, id);
  await bumpRevision(trx, pool.standard_attr_id, revision);
  const document = inserted((await subnetPoolDocuments(trx, [id], { caller })).get(id), 'subnet pool', id);
  // As in Neutron, the lengths are numbers.
  return asUpdated({ ...document, ...bounds }, changes);
}

/** Returns a document as Neutron's responses to updates show it: without attributes that are null. */
function asUpdated(
  { default_quota: quota, address_scope_id: scopeId, ...document }: SubnetPoolDocument,
  changes: UpdateOf<typeof SUBNETPOOL>,
): SubnetPoolDocument {
  return {
    ...document,
    ...(quota === null ? {} : { default_quota: quota }),
    ...(scopeId === null && changes.address_scope_id !== null ? {} : { address_scope_id: scopeId }),
  };
}
