import { randomUUID } from 'node:crypto';
import { type SqlBool, sql } from 'kysely';
import type { Queries } from '../../db/database.ts';
import { ADDRESS_SCOPE } from '../../resources/address-scope.ts';
import type { DocumentOf } from '../../resources/attribute.ts';
import { neutronError } from '../../resources/errors.ts';
import { deletePlain, insertPlain, plainOf, updatePlain } from '../../store/rows.ts';
import { selectPlain } from '../../store/select.ts';
import type { ResourceModule } from '../module.ts';

type AddressScope = DocumentOf<typeof ADDRESS_SCOPE>;

async function load(db: Queries, ids: readonly string[]): Promise<ReadonlyMap<string, AddressScope>> {
  return new Map((await selectPlain(db, ADDRESS_SCOPE, ids)).map(({ id, shown }) => [id, shown]));
}

/** Throws AddressScopeNotFound. */
async function requireScope(db: Queries, id: string): Promise<AddressScope> {
  const scope = (await load(db, [id])).get(id);
  if (!scope) throw neutronError('AddressScopeNotFound', { id });
  return scope;
}

/** Address scopes. */
export const addressScopeModule: ResourceModule<typeof ADDRESS_SCOPE> = {
  resource: ADDRESS_SCOPE,
  visible: ({ projectId }) => sql<SqlBool>`(addressscopes.project_id = ${projectId} or addressscopes.shared = 1)`,
  load,
  create: async (trx, _caller, values) =>
    (await insertPlain(trx, ADDRESS_SCOPE, { ...plainOf(ADDRESS_SCOPE, values), id: randomUUID() })).shown,
  async update(trx, _caller, id, changes) {
    const before = await requireScope(trx, id);
    if (before.shared && changes.shared === false)
      throw neutronError('AddressScopeUpdateError', {
        id,
        reason: "Shared address scope can't be unshared",
      });
    await updatePlain(trx, ADDRESS_SCOPE, { id }, plainOf(ADDRESS_SCOPE, changes));
    return { ...before, ...plainOf(ADDRESS_SCOPE, changes) };
  },
  async delete(trx, _caller, id) {
    await requireScope(trx, id);
    await deletePlain(trx, ADDRESS_SCOPE, id);
  },
};
