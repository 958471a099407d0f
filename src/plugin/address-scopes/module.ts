import { randomUUID } from 'node:crypto';
import type { Queries } from '../../db/database.ts';
import { ADDRESS_SCOPE } from '../../resources/address-scope.ts';
import type { DocumentOf } from '../../resources/attribute.ts';
import { neutronError } from '../../resources/errors.ts';
import { deletePlain, insertPlain, plainOf, updatePlain } from '../../store/rows.ts';
import { selectPlain } from '../../store/select.ts';
import type { Core } from '../core.ts';
import type { ResourceModule, View } from '../module.ts';
import { sharedAmong, sharedFilter, shareWithAll } from '../rbac/sharing.ts';
import { lockAddressScope } from './lock.ts';

type AddressScope = DocumentOf<typeof ADDRESS_SCOPE>;

async function load(db: Queries, ids: readonly string[], view?: View): Promise<ReadonlyMap<string, AddressScope>> {
  const rows = await selectPlain(db, ADDRESS_SCOPE, ids);
  const shared = await sharedAmong(
    db,
    ADDRESS_SCOPE,
    rows.map(({ id }) => id),
    view,
  );
  return new Map(rows.map(({ id, shown }) => [id, { ...shown, shared: shared.has(id) }]));
}

/** Throws AddressScopeNotFound. */
async function requireScope(db: Queries, id: string): Promise<AddressScope> {
  const scope = (await load(db, [id])).get(id);
  if (!scope) throw neutronError('AddressScopeNotFound', { id });
  return scope;
}

/** Address scopes. */
export const addressScopeModule = (core: Core): ResourceModule<typeof ADDRESS_SCOPE> => ({
  resource: ADDRESS_SCOPE,
  conditions: { shared: sharedFilter(ADDRESS_SCOPE) },
  load,
  async usersOf(trx, id) {
    const pools = trx.selectFrom('subnetpools').select('project_id').distinct().where('address_scope_id', '=', id);
    return (await pools.execute()).map(({ project_id }) => project_id);
  },
  async create(trx, _caller, values) {
    const id = randomUUID();
    const { shown } = await insertPlain(trx, ADDRESS_SCOPE, { ...plainOf(ADDRESS_SCOPE, values), id });
    if (values.shared) await shareWithAll(trx, ADDRESS_SCOPE, id, values.project_id);
    return { ...shown, shared: values.shared };
  },
  async update(trx, _caller, id, changes) {
    const before = await requireScope(trx, id);
    if (before.shared && changes.shared === false)
      throw neutronError('AddressScopeUpdateError', {
        id,
        reason: 'a shared address scope cannot become private',
      });
    await updatePlain(trx, ADDRESS_SCOPE, { id }, plainOf(ADDRESS_SCOPE, changes));
    if (changes.shared) await shareWithAll(trx, ADDRESS_SCOPE, id, before.project_id);
    return { ...before, ...changes };
  },
  async delete(trx, _caller, id) {
    await lockAddressScope(trx, core.db, id);
    const pools = trx.selectFrom('subnetpools').select('id').where('address_scope_id', '=', id).limit(1);
    if (await pools.executeTakeFirst()) throw neutronError('AddressScopeInUse', { id });
    await deletePlain(trx, ADDRESS_SCOPE, id);
  },
});
