import { randomUUID } from 'node:crypto';
import type { Database, Queries, Trx } from '../../db/database.ts';
import type { DocumentOf } from '../../resources/attribute.ts';
import { neutronError } from '../../resources/errors.ts';
import { FLAVOR } from '../../resources/flavor.ts';
import { groupBy } from '../../store/listing.ts';
import { deletePlain, insertPlain, plainOf, updatePlain } from '../../store/rows.ts';
import { selectPlain } from '../../store/select.ts';
import type { Core } from '../core.ts';
import { inserted, type ResourceModule } from '../module.ts';

type Flavor = DocumentOf<typeof FLAVOR>;

async function load(db: Queries, ids: readonly string[]): Promise<ReadonlyMap<string, Flavor>> {
  const rows = await selectPlain(db, FLAVOR, ids);
  if (rows.length === 0) return new Map();
  const profiles = groupBy(
    await db
      .selectFrom('flavorserviceprofilebindings')
      .selectAll()
      .where('flavor_id', 'in', [...ids])
      .orderBy('service_profile_id')
      .execute(),
    (row) => row.flavor_id,
  );
  return new Map(
    rows.map(({ id, shown }) => [
      id,
      { ...shown, service_profiles: (profiles.get(id) ?? []).map((row) => row.service_profile_id) },
    ]),
  );
}

/** Locks a flavor, so that it stays. Throws FlavorNotFound. */
async function lockFlavor(trx: Trx, db: Database, id: string): Promise<void> {
  const row = await db.locked(trx.selectFrom('flavors').select('id').where('id', '=', id)).executeTakeFirst();
  if (!row) throw neutronError('FlavorNotFound', { id });
}

/** Associates a service profile with a locked flavor. Throws ServiceProfileNotFound and FlavorServiceProfileBindingExists. */
async function associate(trx: Trx, db: Database, flavor: string, profile: string): Promise<void> {
  const known = await db
    .locked(trx.selectFrom('serviceprofiles').select('id').where('id', '=', profile))
    .executeTakeFirst();
  if (!known) throw neutronError('ServiceProfileNotFound', { id: profile });
  const { numInsertedOrUpdatedRows } = await trx
    .insertInto('flavorserviceprofilebindings')
    .ignore()
    .values({ flavor_id: flavor, service_profile_id: profile })
    .executeTakeFirst();
  if ((numInsertedOrUpdatedRows ?? 0n) === 0n)
    throw neutronError('FlavorServiceProfileBindingExists', { profile, flavor });
}

async function setProfiles(trx: Trx, db: Database, flavor: string, profiles: readonly string[]): Promise<void> {
  await trx.deleteFrom('flavorserviceprofilebindings').where('flavor_id', '=', flavor).execute();
  for (const profile of [...profiles].sort()) await associate(trx, db, flavor, profile);
}

/** Flavors. */
export const flavorModule = ({ db }: Core): ResourceModule<typeof FLAVOR> => ({
  resource: FLAVOR,
  load,
  async create(trx, _caller, values) {
    const id = randomUUID();
    await insertPlain(trx, FLAVOR, { ...plainOf(FLAVOR, values), id, description: values.description ?? '' });
    await setProfiles(trx, db, id, values.service_profiles);
    return inserted((await load(trx, [id])).get(id), 'flavor', id);
  },
  async update(trx, _caller, id, { service_profiles: profiles, ...changes }) {
    await lockFlavor(trx, db, id);
    const { description, ...plain } = plainOf(FLAVOR, changes);
    await updatePlain(
      trx,
      FLAVOR,
      { id },
      { ...plain, ...(description === undefined ? {} : { description: description ?? '' }) },
    );
    if (profiles) await setProfiles(trx, db, id, profiles);
    return inserted((await load(trx, [id])).get(id), 'flavor', id);
  },
  async delete(trx, _caller, id) {
    await lockFlavor(trx, db, id);
    const router = await trx.selectFrom('routers').select('id').where('flavor_id', '=', id).limit(1).executeTakeFirst();
    if (router) throw neutronError('FlavorInUse', { id });
    await deletePlain(trx, FLAVOR, id);
  },
  actions: {
    async list_service_profiles(_caller, { id }) {
      const flavor = (await load(db.kysely, [id])).get(id);
      if (!flavor) throw neutronError('FlavorNotFound', { id });
      return { service_profiles: flavor.service_profiles.map((profile) => ({ id: profile })) };
    },
    add_service_profile: (_caller, { id, body }) =>
      db.transaction(async (trx) => {
        await lockFlavor(trx, db, id);
        await associate(trx, db, id, body);
        return { service_profile: { id: body } };
      }),
    remove_service_profile: (_caller, { id, parameters: { profile_id: profile = '' } }) =>
      db.transaction(async (trx) => {
        const { numDeletedRows } = await trx
          .deleteFrom('flavorserviceprofilebindings')
          .where('flavor_id', '=', id)
          .where('service_profile_id', '=', profile)
          .executeTakeFirst();
        if (numDeletedRows === 0n) throw neutronError('FlavorServiceProfileBindingNotFound', { profile, flavor: id });
      }),
  },
});
