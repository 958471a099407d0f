import type { Config } from '../config/options.ts';
import { storedTime } from '../time/stored-time.ts';

/**
 * Returns the oldest heartbeat of an agent that counts as alive, as the tables store times (UTC, `YYYY-MM-DD HH:MM:SS`): an agent
 * whose heartbeat_timestamp is smaller is dead. `now`: milliseconds since 1970; default: the current time.
 */
export function oldestHeartbeat(config: Config, now: number = Date.now()): string {
  return storedTime(now - config.DEFAULT.agent_down_time * 1000);
}

/**
 * Returns the least `admin_state_up` (0 or 1) of an agent that serves what it hosts: disabled ones do if
 * enable_services_on_agents_with_admin_state_down is set. The scheduler never schedules resources to them.
 */
export const leastAdminState = (config: Config): number =>
  config.DEFAULT.enable_services_on_agents_with_admin_state_down ? 0 : 1;
