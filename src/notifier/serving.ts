import type { Core } from '../plugin/core.ts';
import { tellDhcpAgent } from '../plugin/events.ts';
import { type ServingAgent, servingAgents } from '../scheduler/bindings.ts';
import type { Scheduler } from '../scheduler/contract.ts';
import { couldSchedule, scheduleNetworks } from '../scheduler/schedule.ts';

export type Serving = ReadonlyMap<string, readonly ServingAgent[]>;

/** Networks that have fewer agents than `dhcp_agents_per_network`, with the agents that they have. */
export function lackingAgents(core: Core, networkIds: Iterable<string>, serving: Serving): Serving {
  const most = core.config.DEFAULT.dhcp_agents_per_network;
  const lacking = new Map<string, readonly ServingAgent[]>();
  for (const id of networkIds) {
    const own = serving.get(id) ?? [];
    if (own.length < most) lacking.set(id, own);
  }
  return lacking;
}

/** A network that an agent was given, and the row of the outbox that tells it so. */
export interface Given {
  readonly networkId: string;
  readonly host: string;
  readonly row: number;
}

/** What an agent is told that was given a network. */
export const givenPayload = ({ networkId }: Pick<Given, 'networkId'>) => ({ network: { id: networkId } });

/**
 * Binds networks that lack agents to living ones and writes down `network_create_end` for each new agent, in one transaction:
 * an agent that got a network hears of it, whatever happens to this process.
 */
export async function giveAgents(core: Core, scheduler: Scheduler, lacking: Serving): Promise<readonly Given[]> {
  const { db, config } = core;
  if (lacking.size === 0) return [];
  const networkIds = await couldSchedule(db.kysely, config, lacking);
  if (networkIds.length === 0) return [];
  return db.transaction(async (trx) => {
    const given: Given[] = [];
    for (const { networkId, agent } of await scheduleNetworks(trx, config, scheduler, networkIds)) {
      const { host } = agent;
      const row = await tellDhcpAgent(trx, networkId, host, 'network_create_end', givenPayload({ networkId }));
      given.push({ networkId, host, row });
    }
    return given;
  });
}

/** The DHCP agents of networks, by network. */
export const servingOf = (core: Core, networkIds: Iterable<string>): Promise<Serving> =>
  servingAgents(core.db.kysely, core.config, [...networkIds]);
