import type { Queries, Trx } from '../../db/database.ts';
import type { AddressAllocator } from '../../ipam/allocate.ts';
import type { AGENT } from '../../resources/agent.ts';
import type { UpdateOf } from '../../resources/attribute.ts';
import { neutronError } from '../../resources/errors.ts';
import { hostedBy } from '../../scheduler/bindings.ts';
import { failsOver } from '../../scheduler/hosting-kind.ts';
import type { Core, RequestContext, ResourceRules } from '../core.ts';
import { notifyHost } from '../events.ts';
import { listIds, loadInOrder } from '../listing.ts';
import { agentDocuments, agentList } from './documents.ts';
import { HOSTINGS, type Hosting } from './hosting.ts';
import { resourceMover } from './move.ts';

type Update = UpdateOf<typeof AGENT>;

/** Returns an agent's row. Throws AgentNotFound. */
export async function requireAgent(_context: RequestContext, db: Queries, id: string) {
  const row = await db.selectFrom('agents').selectAll().where('id', '=', id).executeTakeFirst();
  if (!row) throw neutronError('AgentNotFound', { id });
  return row;
}

/** The rules of agents. They come into being by their own reports (`reportState`), not by the API. */
export function agentRules(
  core: Core,
  allocator: AddressAllocator,
  hostings: readonly Hosting[] = HOSTINGS,
): ResourceRules {
  const { db, config } = core;
  const plan = agentList(config);
  const hostingOf = (type: string) => hostings.find(({ kind }) => kind.type === type);

  const load = async (_context: RequestContext, queries: Queries, id: string) => {
    const document = (await agentDocuments(queries, config, [id])).get(id);
    if (!document) throw neutronError('AgentNotFound', { id });
    return document;
  };

  async function update(context: RequestContext, trx: Trx, id: string, changes: Update): Promise<void> {
    const before = await requireAgent(context, trx, id);
    const columns: { admin_state_up?: number; description?: string | null } = {};
    if (changes.admin_state_up !== undefined) columns.admin_state_up = changes.admin_state_up ? 1 : 0;
    if (changes.description !== undefined) columns.description = changes.description;
    if (Object.keys(columns).length === 0) return;
    await trx.updateTable('agents').set(columns).where('id', '=', id).execute();
    const turned = columns.admin_state_up !== undefined && columns.admin_state_up !== before.admin_state_up;
    const hosting = hostingOf(before.agent_type);
    if (!turned || !hosting) return;
    await notifyHost(trx, hosting.kind.notify.updated(columns.admin_state_up === 1), id, before.host);
    if (columns.admin_state_up === 0) await hosting.unserved?.(trx, core, await hostedBy(trx, hosting.kind, id));
  }

  /**
   * Moves what an agent hosts to others before it goes, each resource by itself: what only this agent hosted stays served, where
   * Neutron leaves it without an agent. What no agent can take stays.
   */
  async function handOver(context: RequestContext, id: string): Promise<void> {
    const agent = await requireAgent(context, db.kysely, id);
    const hosting = hostingOf(agent.agent_type);
    if (!hosting || !failsOver(config, hosting.kind)) return;
    const move = resourceMover(core, allocator, 'any', hostings);
    for (const hosted of await hostedBy(db.kysely, hosting.kind, id)) await move(hosting.kind, hosted, id);
  }

  /** Takes what is left off the agent. An agent that is alive registers again with its next report, as in Neutron. */
  async function remove(context: RequestContext, trx: Trx, id: string): Promise<void> {
    const { host, agent_type: type } = await requireAgent(context, trx, id);
    const hosting = hostingOf(type);
    const hosted = hosting ? await hostedBy(trx, hosting.kind, id) : [];
    for (const one of hosted) await hosting?.taken?.(trx, core, allocator, host, one);
    await trx.deleteFrom('agents').where('id', '=', id).execute();
    await hosting?.unserved?.(trx, core, hosted);
  }

  return {
    list: async (_context, query) =>
      loadInOrder(await listIds(db.kysely, plan, query), (ids) => agentDocuments(db.kysely, config, ids)),
    show: (context, id) => load(context, db.kysely, id),
    update: (context, id, changes) =>
      db.transaction(async (trx) => {
        await update(context, trx, id, changes as Update);
        return load(context, trx, id);
      }),
    async delete(context, id) {
      await handOver(context, id);
      await db.transaction((trx) => remove(context, trx, id));
    },
  };
}
