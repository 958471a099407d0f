import { sql } from 'kysely';
import { AVAILABILITY_ZONE } from '../../resources/availability-zone.ts';
import { neutronError } from '../../resources/errors.ts';
import { DHCP_AGENT } from '../../scheduler/bindings.ts';
import type { Core, ResourceRules } from '../core.ts';
import { type ListPlan, listIds, loadInOrder } from '../listing.ts';

/** `agent_type` of the agents that serve routers: stock ones, for now. */
const L3_AGENT = 'L3 agent';

/**
 * How lists of availability zones are found: out of the agents, whether they live or not. DHCP agents make zones of networks,
 * L3 agents those of routers.
 */
export const AVAILABILITY_ZONE_LIST: ListPlan = {
  resource: AVAILABILITY_ZONE,
  table: 'availability_zones',
  from: sql`from (
    select concat(availability_zone, ' ', agent_type) as id, availability_zone as name,
           case agent_type when ${DHCP_AGENT} then 'network' else 'router' end as resource,
           case when max(admin_state_up) = 1 then 'available' else 'unavailable' end as state
    from agents where agent_type in (${DHCP_AGENT}, ${L3_AGENT}) and availability_zone <> ''
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
