import { randomUUID } from 'node:crypto';
import type { Trx } from '../../db/database.ts';
import { neutronError } from '../../resources/errors.ts';
import { SERVICE_PROFILE } from '../../resources/flavor.ts';
import { deletePlain, insertPlain, plainOf, updatePlain } from '../../store/rows.ts';
import { selectPlain } from '../../store/select.ts';
import type { Core } from '../core.ts';
import { inserted, type ResourceModule } from '../module.ts';
import { SERVICE_PROVIDERS } from './providers.ts';

/** Throws ServiceProfileDriverNotFound unless the driver is empty or that of a service provider. */
function requireDriver(driver: string | undefined): void {
  if (driver && !SERVICE_PROVIDERS.some((one) => one.driver === driver))
    throw neutronError('ServiceProfileDriverNotFound', { driver });
}

/** Locks a service profile that no flavor has. Throws ServiceProfileNotFound and ServiceProfileInUse. */
async function lockUnused(trx: Trx, { db }: Core, id: string): Promise<void> {
  const row = await db.locked(trx.selectFrom('serviceprofiles').select('id').where('id', '=', id)).executeTakeFirst();
  if (!row) throw neutronError('ServiceProfileNotFound', { id });
  const flavor = await trx
    .selectFrom('flavorserviceprofilebindings')
    .select('flavor_id')
    .where('service_profile_id', '=', id)
    .limit(1)
    .executeTakeFirst();
  if (flavor) throw neutronError('ServiceProfileInUse', { id });
}

/** Service profiles. */
export const serviceProfileModule = (core: Core): ResourceModule<typeof SERVICE_PROFILE> => ({
  resource: SERVICE_PROFILE,
  load: async (db, ids) => new Map((await selectPlain(db, SERVICE_PROFILE, ids)).map(({ id, shown }) => [id, shown])),
  async create(trx, _caller, values) {
    requireDriver(values.driver);
    if (values.driver === '' && values.metainfo === '') throw neutronError('ServiceProfileEmpty');
    const row = { ...plainOf(SERVICE_PROFILE, values), id: randomUUID(), description: values.description ?? '' };
    return (await insertPlain(trx, SERVICE_PROFILE, row)).shown;
  },
  async update(trx, _caller, id, changes) {
    requireDriver(changes.driver);
    await lockUnused(trx, core, id);
    const { description, ...plain } = plainOf(SERVICE_PROFILE, changes);
    const described = description === undefined ? {} : { description: description ?? '' };
    await updatePlain(trx, SERVICE_PROFILE, { id }, { ...plain, ...described });
    const [row] = await selectPlain(trx, SERVICE_PROFILE, [id]);
    return inserted(row?.shown, 'service profile', id);
  },
  async delete(trx, _caller, id) {
    await lockUnused(trx, core, id);
    await deletePlain(trx, SERVICE_PROFILE, id);
  },
});
