import { sql } from 'kysely';
import type { Config } from '../../config/options.ts';
import type { Queries } from '../../db/database.ts';
import { prepared } from '../../db/prepared.ts';
import { PORT } from '../../resources/port.ts';
import { DHCP_AGENTS, L2_AGENT_TYPES } from '../../scheduler/agent-kinds.ts';
import { bindingsOf } from '../../scheduler/bindings.ts';
import { type L2Agent, l2Agent } from '../../scheduler/l2-agents.ts';
import { leastAdminState, oldestHeartbeat } from '../../scheduler/liveness.ts';
import { factsOf, type NetworkFacts, type NetworkRow, selectNetwork } from './network-facts.ts';

/** The parts of a request that are looked up in one round trip. */
interface Asked {
  readonly id: string;
  readonly host: string;
  readonly oldest: string;
  readonly project: string;
  readonly group: string;
  readonly least: number;
}

interface Row extends NetworkRow {
  readonly agent_type: string | null;
  readonly configurations: string | null;
  readonly default_group: string | null;
  readonly group_project: string | null;
  readonly own_limit: number | null;
  readonly served: number | null;
}

const lookUp = prepared<Asked, Row>((db, p) =>
  selectNetwork(db, p)
    .leftJoin('agents as a', (join) =>
      join
        .on('a.host', '=', p('host'))
        .on('a.agent_type', 'in', L2_AGENT_TYPES)
        .on('a.admin_state_up', '=', 1)
        .on('a.heartbeat_timestamp', '>=', p('oldest')),
    )
    .select(['a.agent_type', 'a.configurations'])
    .select((eb) => [
      eb
        .selectFrom('default_security_group')
        .select('security_group_id')
        .where('project_id', '=', p('project'))
        .as('default_group'),
      eb.selectFrom('securitygroups').select('project_id').where('id', '=', p('group')).as('group_project'),
      eb
        .selectFrom('quotas')
        .select('limit')
        .where('project_id', '=', p('project'))
        .where('resource', '=', PORT.name)
        .as('own_limit'),
      eb
        .selectFrom(bindingsOf(DHCP_AGENTS).as('b'))
        .innerJoin('agents as d', 'd.id', 'b.agent_id')
        .select(sql<number>`1`.as('one'))
        .where('b.resource_id', '=', p('id'))
        .where('d.admin_state_up', '>=', p('least'))
        .limit(1)
        .as('served'),
    ]),
);

/** The facts that the creation of a port needs. */
export interface CreateFacts {
  readonly network: NetworkFacts;
  /** The live L2 agent of its host, which can bind it. */
  readonly agent: L2Agent | undefined;
  /** The project's default security group, if it exists. */
  readonly defaultGroup: string | undefined;
  /** The project of the requested security group, if the group exists. */
  readonly groupProject: string | undefined;
  /** The project's own limit of ports, if it has one. */
  readonly ownLimit: number | undefined;
  /** Whether an enabled DHCP agent hosts the network. */
  readonly served: boolean;
}

/** Returns all facts with one query; undefined if there is no such network. */
export async function createFacts(
  db: Queries,
  config: Config,
  asked: { readonly network: string; readonly host: string; readonly project: string; readonly group: string },
): Promise<CreateFacts | undefined> {
  const { network: id, host, project, group } = asked;
  const alive = { oldest: oldestHeartbeat(config), least: leastAdminState(config) };
  const { rows } = await lookUp(db, { id, host, project, group, ...alive });
  const network = factsOf(rows);
  const [row] = rows;
  if (!network || !row) return undefined;
  const { agent_type, configurations, default_group, group_project, own_limit, served } = row;
  return {
    network,
    agent: agent_type === null || configurations === null ? undefined : l2Agent({ agent_type, configurations }),
    defaultGroup: default_group ?? undefined,
    groupProject: group_project ?? undefined,
    ownLimit: own_limit === null ? undefined : Number(own_limit),
    served: served !== null,
  };
}
