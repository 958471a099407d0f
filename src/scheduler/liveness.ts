import type { Config } from '../config/options.ts';

/**
 * The oldest heartbeat of an agent that counts as alive, as the tables hold times (UTC, `YYYY-MM-DD HH:MM:SS`): an agent
 * whose heartbeat_timestamp is smaller is dead. `now` in milliseconds.
 */
export function oldestHeartbeat(config: Config, now: number = Date.now()): string {
  return new Date(now - config.DEFAULT.agent_down_time * 1000).toISOString().slice(0, 19).replace('T', ' ');
}

/**
 * The least `admin_state_up` (0 or 1) of an agent that serves what it has: disabled ones do when
 * enable_services_on_agents_with_admin_state_down says so. They are given nothing by the scheduler either way.
 */
export const leastAdminState = (config: Config): number =>
  config.DEFAULT.enable_services_on_agents_with_admin_state_down ? 0 : 1;
