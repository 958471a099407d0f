import type { Config } from '../config/options.ts';
import type { Queries, Trx } from '../db/database.ts';
import { servingAgents } from './bindings.ts';
import { allowedBy, livingDhcpAgents, zonesOf } from './candidates.ts';
import type { Candidate, Scheduler } from './contract.ts';
import { hasDhcpSubnet } from './schedule.ts';

/** Networks looked at together. */
const PAGE = 500;

/**
 * Networks with DHCP that an agent has and that one of `living` could take over: it does not serve the network already, and is in
 * a zone that the network allows. In pages, in the order of their ids.
 */
export async function* networksWithSuccessor(
  db: Queries,
  config: Config,
  agentId: string,
  living: readonly Candidate[],
  page: number = PAGE,
): AsyncGenerator<string> {
  for (let after: string | undefined = ''; after !== undefined; ) {
    const rows: readonly { id: string; availability_zone_hints: string }[] = await db
      .selectFrom('networkdhcpagentbindings as b')
      .innerJoin('networks', 'networks.id', 'b.network_id')
      .select(['networks.id', 'networks.availability_zone_hints'])
      .where('b.dhcp_agent_id', '=', agentId)
      .where('networks.id', '>', after)
      .where(hasDhcpSubnet)
      .orderBy('networks.id')
      .limit(page)
      .execute();
    const ids = rows.map((row) => row.id);
    const serving = await servingAgents(db, config, ids);
    for (const { id, availability_zone_hints } of rows) {
      const zones = zonesOf(config, availability_zone_hints);
      if (living.some((agent) => mayTake(agent, zones, serving.get(id) ?? []))) yield id;
    }
    after = rows.length < page ? undefined : ids.at(-1);
  }
}

/** The living agent that takes a network over from another one; undefined when nobody can, or the network needs no DHCP (any more). */
export async function chooseSuccessor(
  trx: Trx,
  config: Config,
  scheduler: Scheduler,
  networkId: string,
  agentId: string,
): Promise<Candidate | undefined> {
  const network = await trx
    .selectFrom('networks')
    .select('availability_zone_hints')
    .where('id', '=', networkId)
    .where(hasDhcpSubnet)
    .executeTakeFirst();
  if (!network) return undefined;
  const zones = zonesOf(config, network.availability_zone_hints);
  const serving = (await servingAgents(trx, config, [networkId])).get(networkId) ?? [];
  const living = await livingDhcpAgents(trx, config, scheduler.usesLoad);
  const candidates = living.filter((agent) => mayTake(agent, zones, serving));
  const staying = serving.filter((agent) => agent.id !== agentId);
  return scheduler.choose(candidates, staying, 1)[0];
}

const mayTake = (agent: Candidate, zones: readonly string[], serving: readonly { readonly id: string }[]): boolean =>
  allowedBy(zones, agent) && !serving.some((one) => one.id === agent.id);
