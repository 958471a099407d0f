import type { Config } from '../config/options.ts';
import type { Queries } from '../db/database.ts';
import { prepared } from '../db/prepared.ts';
import { DHCP_AGENT } from './bindings.ts';
import { allowedBy, zonesOf } from './candidates.ts';
import { leastAdminState, oldestHeartbeat } from './liveness.ts';

const bound = prepared<{ id: string; least: number }, { id: string }>((db, p) =>
  db
    .selectFrom('networkdhcpagentbindings as b')
    .innerJoin('agents', 'agents.id', 'b.dhcp_agent_id')
    .select('agents.id')
    .where('b.network_id', '=', p('id'))
    .where('agents.admin_state_up', '>=', p('least'))
    .limit(1),
);

const living = prepared<{ type: string; oldest: string }, { availability_zone: string | null }>((db, p) =>
  db
    .selectFrom('agents')
    .select('availability_zone')
    .where('agent_type', '=', p('type'))
    .where('admin_state_up', '=', 1)
    .where('heartbeat_timestamp', '>=', p('oldest')),
);

const hints = prepared<{ id: string }, { availability_zone_hints: string }>((db, p) =>
  db.selectFrom('networks').select('availability_zone_hints').where('id', '=', p('id')),
);

/** Whether an enabled DHCP agent has the network, alive or not: if it is dead, it will ask for its networks when it is back. */
export async function isServed(db: Queries, config: Config, networkId: string): Promise<boolean> {
  return (await bound(db, { id: networkId, least: leastAdminState(config) })).rows.length > 0;
}

/**
 * Whether a DHCP agent will say when it is ready for a new port of the network: an enabled one has the network, or one lives
 * that the port's own `port_create_end` will schedule it to. False when agents are not notified at all.
 */
export async function willBeServed(db: Queries, config: Config, networkId: string): Promise<boolean> {
  if (!config.DEFAULT.dhcp_agent_notification) return false;
  if (await isServed(db, config, networkId)) return true;
  const { rows } = await living(db, { type: DHCP_AGENT, oldest: oldestHeartbeat(config) });
  if (rows.length === 0) return false;
  const row = (await hints(db, { id: networkId })).rows[0];
  const zones = zonesOf(config, row?.availability_zone_hints ?? '[]');
  return rows.some(({ availability_zone }) => allowedBy(zones, { availabilityZone: availability_zone }));
}
