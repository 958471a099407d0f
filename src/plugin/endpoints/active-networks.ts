import { DHCP_AGENT } from '../../scheduler/bindings.ts';
import { leastAdminState, oldestHeartbeat } from '../../scheduler/liveness.ts';
import { autoSchedulePage } from '../../scheduler/schedule.ts';
import type { Core } from '../core.ts';

/** Networks that are bound to an asking agent in one transaction at most, so that others get their turn. */
const PAGE = 500;

/** The DHCP agent of a host; undefined when it is not registered (yet), or disabled and to serve nothing. */
async function servingDhcpAgent(core: Core, host: string) {
  return core.db.kysely
    .selectFrom('agents')
    .select(['id', 'availability_zone', 'heartbeat_timestamp', 'admin_state_up'])
    .where('agent_type', '=', DHCP_AGENT)
    .where('host', '=', host)
    .where('admin_state_up', '>=', leastAdminState(core.config))
    .executeTakeFirst();
}

/**
 * Ids of the networks that the DHCP agent of a host is to serve: those bound to it that are up. With `network_auto_schedule`
 * it first gets those that lack an agent. None for an agent that is not registered, or disabled: it releases what it has.
 */
export async function activeNetworkIds(core: Core, host: string): Promise<readonly string[]> {
  const { db, config } = core;
  const agent = await servingDhcpAgent(core, host);
  if (!agent) return [];
  const takesMore = agent.admin_state_up === 1 && agent.heartbeat_timestamp >= oldestHeartbeat(config);
  if (config.DEFAULT.network_auto_schedule && takesMore) {
    const asking = { id: agent.id, availabilityZone: agent.availability_zone };
    for (let after: string | undefined = ''; after !== undefined; ) {
      const from: string = after;
      after = await db.transaction((trx) => autoSchedulePage(trx, config, asking, from, PAGE));
    }
  }
  const rows = await db.kysely
    .selectFrom('networkdhcpagentbindings as b')
    .innerJoin('networks', 'networks.id', 'b.network_id')
    .select('b.network_id')
    .where('b.dhcp_agent_id', '=', agent.id)
    .where('networks.admin_state_up', '=', 1)
    .orderBy('b.network_id')
    .execute();
  return rows.map((row) => row.network_id);
}
