import type { Queries, Trx } from '../../db/database.ts';
import type { AddressAllocator } from '../../ipam/allocate.ts';
import type { AGENT } from '../../resources/agent.ts';
import type { UpdateOf } from '../../resources/attribute.ts';
import { neutronError } from '../../resources/errors.ts';
import { EVENTS } from '../../rpc/events.ts';
import { DHCP_AGENT } from '../../scheduler/bindings.ts';
import type { Core, ResourceRules } from '../core.ts';
import { enqueueNotification } from '../events.ts';
import { listIds, loadInOrder } from '../listing.ts';
import { releaseUnserved } from '../provisioning.ts';
import { agentDocuments, agentList } from './documents.ts';
import { networkMover } from './move-network.ts';
import { reserveDhcpPort } from './reserved-port.ts';

type Update = UpdateOf<typeof AGENT>;

/** An agent's row. Throws AgentNotFound. */
export async function requireAgent(db: Queries, id: string) {
  const row = await db.selectFrom('agents').selectAll().where('id', '=', id).executeTakeFirst();
  if (!row) throw neutronError('AgentNotFound', { id });
  return row;
}

async function updateAgent(trx: Trx, core: Core, id: string, changes: Update): Promise<void> {
  const before = await requireAgent(trx, id);
  const columns: { admin_state_up?: number; description?: string | null } = {};
  if (changes.admin_state_up !== undefined) columns.admin_state_up = changes.admin_state_up ? 1 : 0;
  if (changes.description !== undefined) columns.description = changes.description;
  if (Object.keys(columns).length === 0) return;
  await trx.updateTable('agents').set(columns).where('id', '=', id).execute();
  const turned = columns.admin_state_up !== undefined && columns.admin_state_up !== before.admin_state_up;
  if (!turned || before.agent_type !== DHCP_AGENT) return;
  const state = { admin_state_up: columns.admin_state_up === 1 };
  await enqueueNotification(trx, EVENTS.dhcp_agent_updated, state, { agent: id, host: before.host });
  if (columns.admin_state_up === 0) await releaseUnserved(trx, core, await networksOf(trx, id));
}

/** Ids of the networks that a DHCP agent has. */
async function networksOf(db: Queries, agentId: string): Promise<readonly string[]> {
  const rows = await db
    .selectFrom('networkdhcpagentbindings')
    .select('network_id')
    .where('dhcp_agent_id', '=', agentId)
    .orderBy('network_id')
    .execute();
  return rows.map((row) => row.network_id);
}

/**
 * Gives an agent's networks to others before it goes, each by itself: what was an agent's alone is served on, where Neutron leaves
 * it without one. What nobody can take stays.
 */
async function handOver(core: Core, allocator: AddressAllocator, id: string): Promise<void> {
  const { allow_automatic_dhcp_failover: failover, network_auto_schedule: scheduled } = core.config.DEFAULT;
  if (!failover || !scheduled) return;
  const move = networkMover(core, allocator, 'any');
  for (const networkId of await networksOf(core.db.kysely, id)) await move(networkId, id);
}

/**
 * Takes the networks that are left off the agent; its ports wait for the networks' next agents. An agent that lives
 * registers again with its next report, as in Neutron.
 */
async function deleteAgent(trx: Trx, core: Core, allocator: AddressAllocator, id: string): Promise<void> {
  const { host, agent_type: type } = await requireAgent(trx, id);
  const networks = type === DHCP_AGENT ? await networksOf(trx, id) : [];
  for (const networkId of networks) await reserveDhcpPort(trx, core, allocator, host, networkId);
  await trx.deleteFrom('agents').where('id', '=', id).execute();
  await releaseUnserved(trx, core, networks);
}

/** The rules of agents. They come into being by their own reports (`reportState`), not by the API. */
export function agentRules(core: Core, allocator: AddressAllocator): ResourceRules {
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
        await updateAgent(trx, core, id, changes as Update);
        return load(trx, id);
      }),
    async delete(_context, id) {
      await handOver(core, allocator, id);
      await db.transaction((trx) => deleteAgent(trx, core, allocator, id));
    },
  };
}
