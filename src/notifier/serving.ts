import type { Config } from '../config/options.ts';
import type { Core } from '../plugin/core.ts';
import { enqueueNotification } from '../plugin/events.ts';
import { type AgentEvent, EVENTS } from '../rpc/events.ts';
import { DHCP_AGENT_TOPIC } from '../rpc/topics/dhcp-agent.ts';
import { type ServingAgent, servingAgents } from '../scheduler/bindings.ts';
import type { Scheduler } from '../scheduler/contract.ts';
import { couldSchedule, scheduleNetworks } from '../scheduler/schedule.ts';
import type { QueuedEvent } from './casts.ts';

export type Serving = ReadonlyMap<string, readonly ServingAgent[]>;

/** Whether dhcp_agent_notification silences an event. DHCP agents always hear of what concerns themselves. */
export const isMuted = ({ DEFAULT }: Config, { topic, audience }: AgentEvent): boolean =>
  topic === DHCP_AGENT_TOPIC.topic && audience !== 'host' && !DEFAULT.dhcp_agent_notification;

/** Returns the networks that have fewer agents than `dhcp_agents_per_network`, with the agents that they have. */
export function lackingAgents(core: Core, networkIds: Iterable<string>, serving: Serving): Serving {
  const most = core.config.DEFAULT.dhcp_agents_per_network;
  const lacking = new Map<string, readonly ServingAgent[]>();
  for (const id of networkIds) {
    const own = serving.get(id) ?? [];
    if (own.length < most) lacking.set(id, own);
  }
  return lacking;
}

/**
 * Binds networks that lack agents to living ones and enqueues the notification of each new agent, in one transaction: an agent
 * that was given a network is notified even if this process is killed. Returns the events that it enqueued.
 */
export async function scheduleMissing(
  core: Core,
  scheduler: Scheduler,
  lacking: Serving,
): Promise<readonly QueuedEvent[]> {
  const { db, config } = core;
  if (lacking.size === 0) return [];
  const networkIds = await couldSchedule(db.kysely, config, lacking);
  if (networkIds.length === 0) return [];
  return db.transaction(async (trx) => {
    const queued: QueuedEvent[] = [];
    for (const { networkId, agent } of await scheduleNetworks(trx, config, scheduler, networkIds)) {
      const [event, payload] = [EVENTS.network_added_to_agent, { network: { id: networkId } }];
      const row = await enqueueNotification(trx, event, payload, { network: networkId, host: agent.host });
      queued.push({ row, orderingKey: networkId, host: agent.host, event, payload, needsAgent: false });
    }
    return queued;
  });
}

/** Returns the DHCP agents of networks, by network. */
export const servingOf = (core: Core, networkIds: Iterable<string>): Promise<Serving> =>
  servingAgents(core.db.kysely, core.config, [...networkIds]);
