import type { Database, Trx } from '../../db/database.ts';
import { neutronError } from '../../resources/errors.ts';
import { SERVICE_PROVIDERS, type ServiceProvider } from './providers.ts';

/**
 * Returns the provider of a flavor, that of its first service profile, and locks the flavor, so that it stays. Throws FlavorNotFound,
 * FlavorDisabled, InvalidServiceType unless it is for routers, FlavorServiceProfileBindingNotFound, ServiceProfileDisabled and ServiceProfileDriverNotFound.
 */
export async function providerOfFlavor(trx: Trx, db: Database, id: string): Promise<ServiceProvider> {
  const row = trx.selectFrom('flavors').select(['enabled', 'service_type']).where('id', '=', id);
  const flavor = await db.locked(row).executeTakeFirst();
  if (!flavor) throw neutronError('FlavorNotFound', { id });
  if (flavor.enabled === 0) throw neutronError('FlavorDisabled', { id });
  if (flavor.service_type !== 'L3_ROUTER_NAT') throw neutronError('InvalidServiceType', { type: flavor.service_type });
  const profile = await trx
    .selectFrom('flavorserviceprofilebindings as b')
    .innerJoin('serviceprofiles as p', 'p.id', 'b.service_profile_id')
    .select(['p.driver', 'p.enabled'])
    .where('b.flavor_id', '=', id)
    .orderBy('p.id')
    .limit(1)
    .executeTakeFirst();
  if (!profile) throw neutronError('FlavorServiceProfileBindingNotFound', { profile: 'of any id', flavor: id });
  if (profile.enabled === 0) throw neutronError('ServiceProfileDisabled', { flavor: id });
  const provider = SERVICE_PROVIDERS.find(({ driver }) => driver === profile.driver);
  if (!provider) throw neutronError('ServiceProfileDriverNotFound', { driver: profile.driver });
  return provider;
}
