import type { Logger } from 'pino';
import type { Config } from '../config/options.ts';
import type { Database } from '../db/database.ts';

export interface FailoverOptions {
  readonly db: Database;
  readonly config: Config;
  readonly log: Logger;
  /**
   * Moves a network off a dead DHCP agent to a living one: one transaction with the outbox rows. Gives the host that serves it
   * now; undefined when the agent lives again, does not have the network any more, or nobody can take it.
   */
  readonly move: (networkId: string, agentId: string) => Promise<string | undefined>;
}

/**
 * Takes networks off DHCP agents that count as dead and has living ones serve them (`allow_automatic_dhcp_failover`): looks every
 * few seconds, one server of many at a time (a lease row). Nothing moves before this server has been up for `agent_down_time`,
 * nor until so long after reports of all agents had been missing: then not the agents were gone, but the way of their reports.
 */
export function startFailover(options: FailoverOptions): { close(): Promise<void> } {
  void options;
  throw new Error('being built');
}
