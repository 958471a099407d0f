import type { Queries, Trx } from '../../db/database.ts';
import type { AGENT } from '../../resources/agent.ts';
import type { UpdateOf } from '../../resources/attribute.ts';
import { neutronError } from '../../resources/errors.ts';
import { DHCP_AGENT } from '../../scheduler/bindings.ts';
import type { Core, ResourceRules } from '../core.ts';
import { tellDhcpAgent } from '../events.ts';
import { listIds, loadInOrder } from '../listing.ts';
import { releaseUnserved } from '../provisioning.ts';
import { agentDocuments, agentList } from './documents.ts';

type Update = UpdateOf<typeof AGENT>;

/** An agent's row. Throws AgentNotFound. */
export async function requireAgent(db: Queries, id: string) {
  const row = await db.selectFrom('agents').selectAll().where('id', '=', id).executeTakeFirst();
  if (!row) throw neutronError('AgentNotFound', { id });
  return row;
}

async function updateAgent(trx: Trx, id: string, changes: Update): Promise<void> {
  const before = await requireAgent(trx, id);
  const columns: { admin_state_up?: number; description?: string | null } = {};
  if (changes.admin_state_up !== undefined) columns.admin_state_up = changes.admin_state_up ? 1 : 0;
  if (changes.description !== undefined) columns.description = changes.description;
  if (Object.keys(columns).length === 0) return;
  await trx.updateTable('agents').set(columns).where('id', '=', id).execute();
  const turned = columns.admin_state_up !== undefined && columns.admin_state_up !== before.admin_state_up;
  if (turned && before.agent_type === DHCP_AGENT)
    await tellDhcpAgent(trx, id, before.host, 'agent_updated', { admin_state_up: columns.admin_state_up === 1 });
}

/** Deleting takes the agent's networks off it. An agent that lives registers again with its next report, as in Neutron. */
async function deleteAgent(trx: Trx, core: Core, id: string): Promise<void> {
  await requireAgent(trx, id);
  const bindings = await trx
    .selectFrom('networkdhcpagentbindings')
    .select('network_id')
    .where('dhcp_agent_id', '=', id)
    .execute();
  await trx.deleteFrom('agents').where('id', '=', id).execute();
  await releaseUnserved(
    trx,
    core,
    bindings.map((b) => b.network_id),
  );
}

/** The rules of agents. They come into being by their own reports (`reportState`), not by the API. */
export function agentRules(core: Core): ResourceRules {
  const { db, config } = core;
  const plan = agentList(config);
  const load = async (queries: Queries, id: string) => {
    const document = (await agentDocuments(queries, config, [id])).get(id);
    if (!document) throw neutronError('AgentNotFound', { id });
    return document;
  };
  return {
    list: async (_context, query) =>
      loadInOrder(await listIds(db.kysely, plan, query), (ids) => agentDocuments(db.kysely, config, ids)),
    show: (_context, id) => load(db.kysely, id),
    update: (_context, id, changes) =>
      db.transaction(async (trx) => {
        await updateAgent(trx, id, changes as Update);
        return load(trx, id);
      }),
    delete: (_context, id) => db.transaction((trx) => deleteAgent(trx, core, id)),
  };
}
