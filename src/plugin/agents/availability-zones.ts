import { sql } from 'kysely';
import type { DocumentOf } from '../../resources/attribute.ts';
import { AVAILABILITY_ZONE } from '../../resources/availability-zone.ts';
import { HOSTING_KINDS } from '../../scheduler/agent-kinds.ts';
import type { ResourceModule } from '../module.ts';

/** The resource type of each agent type's zones. */
const resourceOfType = sql.join(
  HOSTING_KINDS.map(({ type, hosted }) => sql`when ${type} then ${hosted.resource}`),
  sql` `,
);

const ZONES = sql`from (
    select concat(availability_zone, ' ', agent_type) as id, availability_zone as name,
           case agent_type ${resourceOfType} end as resource,
           case when max(admin_state_up) = 1 then 'available' else 'unavailable' end as state
    from agents where agent_type in (${sql.join(HOSTING_KINDS.map(({ type }) => type))}) and availability_zone <> ''
    group by availability_zone, agent_type) as availability_zones`;

/** Availability zones, computed from all agents, alive or not. */
export const availabilityZoneModule: ResourceModule<typeof AVAILABILITY_ZONE> = {
  resource: AVAILABILITY_ZONE,
  source: ZONES,
  async load(db, ids) {
    const { rows } = await sql<DocumentOf<typeof AVAILABILITY_ZONE> & { readonly id: string }>`
      select id, name, resource, state ${ZONES} where id in (${sql.join([...ids])})`.execute(db);
    return new Map(rows.map(({ id, ...shown }) => [id, shown]));
  },
};
