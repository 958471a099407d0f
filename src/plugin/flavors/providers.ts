import { sql } from 'kysely';
import { SERVICE_PROVIDER } from '../../resources/flavor.ts';
import type { ResourceModule } from '../module.ts';

/** A kind of router, with Neutron's names and drivers. */
export interface ServiceProvider {
  readonly name: string;
  readonly driver: string;
  readonly ha: boolean;
  readonly distributed: boolean;
}

const provider = (name: string, driver: string, ha: boolean, distributed: boolean): ServiceProvider => ({
  name,
  driver: `neutron.services.l3_router.service_providers.${driver}`,
  ha,
  distributed,
});

export const SERVICE_PROVIDERS: readonly ServiceProvider[] = [
  provider('dvrha', 'dvrha.DvrHaDriver', true, true),
  provider('dvr', 'dvr.DvrDriver', false, true),
  provider('ha', 'ha.HaDriver', true, false),
  provider('single_node', 'single_node.SingleNodeDriver', false, false),
];

const rows = sql.join(
  SERVICE_PROVIDERS.map(({ name }) => sql`select ${name} as id`),
  sql` union all `,
);

/** Service providers, which are the same on every server. */
export const serviceProviderModule: ResourceModule<typeof SERVICE_PROVIDER> = {
  resource: SERVICE_PROVIDER,
  source: sql`from (${rows}) as service_providers`,
  load: async (_db, ids) => new Map(ids.map((name) => [name, { service_type: 'L3_ROUTER_NAT', name, default: false }])),
};
