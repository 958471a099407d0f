import { sql } from 'kysely';
import { catalogue } from '../../src/rpc/events.ts';
import type { HostingKind } from '../../src/scheduler/hosting-kind.ts';

/**
 * A kind of agent that hosts resources, on the server's side: metering agents host meters. One row of the table and the events that
 * its agents are notified of; scheduling, failover, hand-over, load and administrative state follow from it.
 */

const TOPIC = 'metering_agent';
const VERSION = { topic: TOPIC, version: '1.0' } as const;

type MeterChange = { readonly meter_id: string; readonly running: boolean };

/** The events, as rows of a catalogue. A real kind adds them to `EVENTS` in `src/rpc/events.ts`. */
export const METER_EVENTS = catalogue({
  // For the agent of one host, named by the caller.
  meter_added: {
    ...VERSION,
    method: 'meter_added',
    audience: 'host',
    orderedBy: 'meter',
    args: (payload: { meter_id: string }) => payload,
  },
  meter_removed: {
    ...VERSION,
    method: 'meter_removed',
    audience: 'host',
    orderedBy: 'meter',
    args: (payload: { meter_id: string }) => payload,
  },
  // The same method may belong to several topics; the names of events are unique.
  metering_agent_updated: {
    ...VERSION,
    method: 'agent_updated',
    audience: 'host',
    orderedBy: 'agent',
    args: (payload: { admin_state_up: boolean }) => payload,
  },
  // For the agents that host the meter. One that has no agent is scheduled first, if `needsAgent` says so.
  meter_changed: {
    ...VERSION,
    method: 'meter_changed',
    audience: 'hosting',
    orderedBy: 'meter',
    needsAgent: ({ running }: MeterChange) => running,
    args: (payload: MeterChange) => payload,
  },
});

/** The row. A real kind is listed in HOSTING_KINDS in `src/scheduler/agent-kinds.ts`, and its tables are created by a migration. */
export const METERING_AGENTS: HostingKind = {
  type: 'Metering agent',
  topic: TOPIC,
  hosted: {
    resource: 'meter',
    all: sql`select id, name, availability_zone_hints, 0 as single from meters`,
    needsAgent: sql`meters.running = 1`,
  },
  bindings: { table: 'meteragentbindings', resource: 'meter_id', agent: 'metering_agent_id' },
  loadKey: 'meters',
  // A real kind has its own options in `src/config/options.ts`.
  options: {
    agents: 'dhcp_agents_per_network',
    scheduler: 'network_scheduler_driver',
    autoSchedule: 'network_auto_schedule',
    failover: 'allow_automatic_dhcp_failover',
  },
  notify: {
    added: (id) => ({ event: METER_EVENTS.meter_added, payload: { meter_id: id } }),
    removed: (id) => ({ event: METER_EVENTS.meter_removed, payload: { meter_id: id } }),
    updated: (admin_state_up) => ({ event: METER_EVENTS.metering_agent_updated, payload: { admin_state_up } }),
  },
};
