import type { AddressAllocator } from '../../ipam/allocate.ts';
import { AGENT } from '../../resources/agent.ts';
import { hostedBy } from '../../scheduler/bindings.ts';
import { failsOver } from '../../scheduler/hosting-kind.ts';
import { plainOf, updatePlain } from '../../store/rows.ts';
import type { Core } from '../core.ts';
import { notifyHost } from '../events.ts';
import { inserted, type ResourceModule } from '../module.ts';
import { remapHost } from '../segments/remap-host.ts';
import { agentNetworkHandlers } from './dhcp-networks.ts';
import { agentConditions, agentDocuments, requireAgent } from './documents.ts';
import { HOSTINGS, type Hosting } from './hosting.ts';
import { agentRouterHandlers } from './l3-routers.ts';
import { resourceMover } from './move.ts';

/** The rules of agents. Agents are created by their own reports (`reportState`), not by the API. */
export const agentModule = (
  core: Core,
  allocator: AddressAllocator,
  hostings: readonly Hosting[] = HOSTINGS,
): ResourceModule<typeof AGENT> => {
  const { db, config } = core;
  const hostingOf = (type: string) => hostings.find(({ kind }) => kind.type === type);
  return {
    resource: AGENT,
    conditions: agentConditions(config),
    load: (queries, ids) => agentDocuments(queries, config, ids),
    async update(trx, _caller, id, changes) {
      const before = await requireAgent(trx, id);
      await updatePlain(trx, AGENT, { id }, plainOf(AGENT, changes));
      const hosting = hostingOf(before.agent_type);
      const { admin_state_up: enabled = before.admin_state_up === 1 } = changes;
      if (hosting && enabled !== (before.admin_state_up === 1)) {
        await notifyHost(trx, hosting.kind.notify.updated(enabled), id, before.host);
        if (!enabled) await hosting.unserved?.(trx, core, await hostedBy(trx, hosting.kind, id));
      }
      return inserted((await agentDocuments(trx, config, [id])).get(id), 'agent', id);
    },
    // Moves the agent's resources to other agents, each in its own transaction: resources that only this agent hosted remain
    // served,
    // whereas Neutron leaves them without an agent. Resources that no agent can host stay.
    async prepareDelete(_caller, id) {
      const agent = await requireAgent(db.kysely, id);
      const hosting = hostingOf(agent.agent_type);
      if (!hosting || !failsOver(config, hosting.kind)) return;
      const move = resourceMover(core, allocator, 'any', hostings);
      for (const hosted of await hostedBy(db.kysely, hosting.kind, id)) await move(hosting.kind, hosted, id);
    },
    // Removes the remaining resources from the agent. As in Neutron, a live agent registers again with its next report.
    async delete(trx, _caller, id) {
      const { host, agent_type: type } = await requireAgent(trx, id);
      const hosting = hostingOf(type);
      const hosted = hosting ? await hostedBy(trx, hosting.kind, id) : [];
      for (const one of hosted) await hosting?.taken?.(trx, core, allocator, { id, host }, one);
      await trx.deleteFrom('agents').where('id', '=', id).execute();
      await remapHost(trx, host);
      await hosting?.unserved?.(trx, core, hosted);
    },
    actions: { ...agentNetworkHandlers(core, allocator), ...agentRouterHandlers(core, allocator) },
  };
};
