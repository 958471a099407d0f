import { sql } from 'kysely';
import { AVAILABILITY_ZONE } from '../../resources/availability-zone.ts';
import { neutronError } from '../../resources/errors.ts';
import { HOSTING_KINDS } from '../../scheduler/agent-kinds.ts';
import type { Core, ResourceRules } from '../core.ts';
import { type ListPlan, listIds, loadInOrder } from '../listing.ts';

/** What each type of agent makes zones of. L3 agents are stock ones, for now: routers are not scheduled here. */
const ZONED: readonly (readonly [type: string, resource: string])[] = [
  ...HOSTING_KINDS.map(({ type, hosted }) => [type, hosted.resource] as const),
  ['L3 agent', 'router'],
];

const resourceOfType = sql.join(
  ZONED.map(([type, resource]) => sql`when ${type} then ${resource}`),
  sql` `,
);

/** How lists of availability zones are found: from the agents, alive or not. */
export const AVAILABILITY_ZONE_LIST: ListPlan = {
  resource: AVAILABILITY_ZONE,
  table: 'availability_zones',
  from: sql`from (
    select concat(availability_zone, ' ', agent_type) as id, availability_zone as name,
           case agent_type ${resourceOfType} end as resource,
           case when max(admin_state_up) = 1 then 'available' else 'unavailable' end as state
    from agents where agent_type in (${sql.join(ZONED.map(([type]) => type))}) and availability_zone <> ''
    group by availability_zone, agent_type) as availability_zones`,
  conditions: {},
};

/** The rules of availability zones. */
export function availabilityZoneRules({ db }: Core): ResourceRules {
  return {
    async list(_context, query) {
      const ids = await listIds(db.kysely, AVAILABILITY_ZONE_LIST, query);
      return loadInOrder(ids, async (some) => {
        const { rows } = await sql<{ id: string; name: string; resource: string; state: string }>`
          select id, name, resource, state ${AVAILABILITY_ZONE_LIST.from} where id in (${sql.join([...some])})`.execute(
          db.kysely,
        );
        return new Map(rows.map(({ id, ...shown }) => [id, shown]));
      });
    },
    // Neutron has no route to one zone.
    show: async (_context, id) => {
      throw neutronError('HTTPNotFound', { path: `availability_zones/${id}` });
    },
  };
}
