import { sql } from 'kysely';
import type { Config } from '../config/options.ts';
import type { Queries, Trx } from '../db/database.ts';
import { bindNetwork, servingAgents } from './bindings.ts';
import { allowedBy, livingDhcpAgents, zonesOf } from './candidates.ts';
import type { Candidate, Scheduler } from './contract.ts';

/** A binding that was made: the network and the agent that serves it from now on. */
export interface NewBinding {
  readonly networkId: string;
  readonly agent: Candidate;
}

/** A network that DHCP is needed on. */
interface DhcpNetwork {
  readonly id: string;
  readonly hints: readonly string[];
}

/** Whether a network of the query needs DHCP. */
export const hasDhcpSubnet = sql<boolean>`exists (select 1 from subnets s where s.network_id = networks.id and s.enable_dhcp = 1)`;
const dhcpNetwork = (config: Config, row: { id: string; availability_zone_hints: string }): DhcpNetwork => ({
  id: row.id,
  hints: zonesOf(config, row.availability_zone_hints),
});

/**
 * Whether scheduling these networks could give one of them an agent: some candidate is not among its agents. Asked before a
 * transaction is begun, so that ports made while no agent lives cost no write.
 */
export async function couldSchedule(
  db: Queries,
  config: Config,
  networks: ReadonlyMap<string, readonly { readonly id: string }[]>,
): Promise<readonly string[]> {
  const candidates = await livingDhcpAgents(db, config, false);
  return [...networks]
    .filter(([, serving]) => candidates.some((c) => !serving.some((agent) => agent.id === c.id)))
    .map(([id]) => id);
}

/**
 * Binds networks to living, enabled DHCP agents until each has `dhcp_agents_per_network`, or no agent is left. Networks without
 * a subnet that has DHCP are left alone. Gives the bindings that were made.
 */
export async function scheduleNetworks(
  trx: Trx,
  config: Config,
  scheduler: Scheduler,
  networkIds: readonly string[],
): Promise<readonly NewBinding[]> {
  if (networkIds.length === 0) return [];
  const rows = await trx
    .selectFrom('networks')
    .select(['id', 'availability_zone_hints'])
    .where('id', 'in', [...networkIds])
    .where(hasDhcpSubnet)
    .execute();
  const networks = rows.map((row) => dhcpNetwork(config, row));
  const serving = await servingAgents(
    trx,
    config,
    networks.map((n) => n.id),
  );
  const load = new Map((await livingDhcpAgents(trx, config, scheduler.usesLoad)).map((agent) => [agent.id, agent]));
  const made: NewBinding[] = [];
  for (const network of networks) {
    const own = serving.get(network.id) ?? [];
    const candidates = [...load.values()].filter(
      (agent) => allowedBy(network.hints, agent) && !own.some((one) => one.id === agent.id),
    );
    const most = config.DEFAULT.dhcp_agents_per_network;
    for (const agent of scheduler.choose(candidates, own, most - own.length)) {
      if (!(await bindNetwork(trx, network.id, agent.id, most))) continue;
      load.set(agent.id, { ...agent, load: agent.load + 1 });
      made.push({ networkId: network.id, agent });
    }
  }
  return made;
}

/**
 * Binds to an agent that asks for its networks those that have DHCP subnets and fewer agents than `dhcp_agents_per_network`
 * (network_auto_schedule), one page of networks after `after`. Gives the id to go on from; undefined when all were seen.
 */
export async function autoSchedulePage(
  trx: Trx,
  config: Config,
  agent: Pick<Candidate, 'id' | 'availabilityZone'>,
  after: string,
  page: number,
): Promise<string | undefined> {
  const most = config.DEFAULT.dhcp_agents_per_network;
  const bindings = sql`select count(*) from networkdhcpagentbindings b where b.network_id = networks.id`;
  const rows = await trx
    .selectFrom('networks')
    .select(['id', 'availability_zone_hints'])
    .where('id', '>', after)
    .where(hasDhcpSubnet)
    .where(sql<boolean>`(${bindings}) < ${most}`)
    .where(sql<boolean>`(${bindings} and b.dhcp_agent_id = ${agent.id}) = 0`)
    .orderBy('id')
    .limit(page)
    .execute();
  for (const network of rows.map((row) => dhcpNetwork(config, row)))
    if (allowedBy(network.hints, agent)) await bindNetwork(trx, network.id, agent.id, most);
  return rows.length < page ? undefined : rows.at(-1)?.id;
}
