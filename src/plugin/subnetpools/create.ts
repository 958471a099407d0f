import { randomUUID } from 'node:crypto';
import type { Caller } from '../../auth/contract.ts';
import type { Trx } from '../../db/database.ts';
import type { CreateOf } from '../../resources/attribute.ts';
import { SUBNETPOOL } from '../../resources/subnetpool.ts';
import { insertPlain, plainOf } from '../../store/rows.ts';
import { newStandard } from '../../store/standard-attributes.ts';
import type { Core } from '../core.ts';
import { inserted } from '../module.ts';
import { shareWithAll } from '../rbac/sharing.ts';
import { boundsOf } from './bounds.ts';
import { claimDefault } from './default-pool.ts';
import { type SubnetPoolDocument, subnetPoolDocuments } from './documents.ts';
import { growPrefixes, requestedPrefixes } from './prefixes.ts';
import { chooseScope, requireUniquePrefixes } from './scope.ts';

/** Creates a subnet pool in the caller's transaction. Throws NeutronError. */
export async function createSubnetPool(
  trx: Trx,
  core: Core,
  caller: Caller,
  values: CreateOf<typeof SUBNETPOOL>,
): Promise<SubnetPoolDocument> {
  const { version, set: prefixes } = requestedPrefixes(values.prefixes);
  const bounds = boundsOf(version, values);
  const id = randomUUID();
  const { address_scope_id: scopeId = null, default_quota: quota = null } = values;
  if (scopeId !== null) {
    const pool = { id, version, prefixes };
    await chooseScope(trx, core, caller, pool, scopeId);
    await requireUniquePrefixes(trx, pool, scopeId);
  }
  await insertPlain(trx, SUBNETPOOL, {
    ...plainOf(SUBNETPOOL, values),
    ...bounds,
    id,
    ip_version: version,
    default_quota: quota,
    address_scope_id: scopeId,
    ...newStandard(),
  });
  await growPrefixes(trx, { id, version }, prefixes);
  if (values.is_default) await claimDefault(trx, { id, version });
  if (values.shared) await shareWithAll(trx, SUBNETPOOL, id, values.project_id);
  return inserted((await subnetPoolDocuments(trx, [id])).get(id), 'subnet pool', id);
}
