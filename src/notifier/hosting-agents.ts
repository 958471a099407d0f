import type { AddressAllocator } from '../ipam/allocate.ts';
import type { Hosting } from '../plugin/agents/hosting.ts';
import { assignAgents, type Given } from '../plugin/assign.ts';
import type { Core } from '../plugin/core.ts';
import type { AgentEvent } from '../rpc/events.ts';
import { type HostingAgent, hostingAgents } from '../scheduler/bindings.ts';
import type { Scheduler } from '../scheduler/contract.ts';
import { configuredScheduler } from '../scheduler/drivers.ts';
import { agentsWanted, type HostingKind, isNotified } from '../scheduler/hosting-kind.ts';
import { dividedAmong, fits, type Place, placesOf } from '../scheduler/places.ts';
import { couldSchedule, hostedLabel } from '../scheduler/schedule.ts';
import { groupBy } from '../store/listing.ts';
import type { QueuedEvent } from './casts.ts';

type Hosts = ReadonlyMap<string, readonly HostingAgent[]>;

/** The agents that host the resources of some events. */
export interface EventHosts {
  /** Notifications for agents that a resource was scheduled to, already in the outbox. */
  readonly scheduled: readonly QueuedEvent[];
  /** Returns the agents that host the resource of an event's ordering key. */
  of(event: QueuedEvent): readonly HostingAgent[];
}

const NONE: readonly HostingAgent[] = [];

/** The agents that host the resources of outbox events. */
export class HostingAgents {
  readonly #core: Core;
  /** By topic. */
  readonly #kinds: ReadonlyMap<string, AgentsOfKind>;

  /** Throws an Error if an event is for hosting agents and no agent kind has its topic. */
  constructor(core: Core, allocator: AddressAllocator, hostings: readonly Hosting[], events: Iterable<AgentEvent>) {
    this.#core = core;
    this.#kinds = new Map(hostings.map((hosting) => [hosting.kind.topic, new AgentsOfKind(core, allocator, hosting)]));
    for (const { name, topic, audience } of events)
      if (audience === 'hosting' && !this.#kinds.has(topic))
        throw new Error(
          `event ${name} is for the agents that host its resource, but no kind of agent has topic ${topic}`,
        );
  }

  /** Returns whether the configuration disables an event. Events about an agent itself are always sent. */
  isMuted({ topic, audience }: AgentEvent): boolean {
    const kind = this.#kinds.get(topic)?.kind;
    return kind !== undefined && audience !== 'host' && !isNotified(this.#core.config, kind);
  }

  /** Schedules the resources whose events show that they need an agent; returns who hosts the events' resources then. */
  async hostsOf(events: readonly QueuedEvent[]): Promise<EventHosts> {
    const hosted = events.filter(({ event }) => event.audience === 'hosting' && !this.isMuted(event));
    const hosts = new Map<string, Hosts>();
    const scheduled: QueuedEvent[] = [];
    for (const [topic, own] of groupBy(hosted, ({ event }) => event.topic)) {
      const found = await this.#kinds.get(topic)?.hostsOf(own);
      if (!found) continue;
      hosts.set(topic, found.hosts);
      scheduled.push(...found.scheduled);
    }
    return { scheduled, of: ({ event, orderingKey }) => hosts.get(event.topic)?.get(orderingKey) ?? NONE };
  }
}

/** The hosted resources of one agent kind. */
class AgentsOfKind {
  readonly kind: HostingKind;
  readonly #core: Core;
  readonly #allocator: AddressAllocator;
  readonly #scheduler: Scheduler;
  readonly #given: Given | undefined;
  /** Whether the lack of agents has been logged. */
  #lackLogged = false;

  constructor(core: Core, allocator: AddressAllocator, { kind, given }: Hosting) {
    this.#core = core;
    this.#allocator = allocator;
    this.#given = given;
    this.kind = kind;
    this.#scheduler = configuredScheduler(core.config, kind);
  }

  async hostsOf(
    events: readonly QueuedEvent[],
  ): Promise<{ readonly hosts: Hosts; readonly scheduled: readonly QueuedEvent[] }> {
    const before = await this.#hostingAgents(events);
    const needing = new Set(events.filter((event) => event.needsAgent).map((event) => event.orderingKey));
    const lacking = await this.#lackingAgents(needing, before);
    const scheduled = await this.#scheduleMissing(lacking);
    if (scheduled.length > 0) this.#lackLogged = false;
    else await this.#logLack(lacking);
    if (scheduled.length === 0) return { hosts: before, scheduled };
    const now = await this.#hostingAgents(scheduled);
    return { hosts: new Map([...before, ...now]), scheduled };
  }

  #hostingAgents(events: readonly QueuedEvent[]): Promise<Hosts> {
    const { db, config } = this.#core;
    const ids = new Set(events.map((event) => event.orderingKey));
    return hostingAgents(db.kysely, config, this.kind, [...ids]);
  }

  /** Returns the resources that, or a part of which, have fewer agents than configured, with their agents. */
  async #lackingAgents(ids: ReadonlySet<string>, hosts: Hosts): Promise<Hosts> {
    const { db, config } = this.#core;
    const most = agentsWanted(config, this.kind, 0);
    const lacking = new Map<string, readonly HostingAgent[]>();
    const enough: string[] = [];
    for (const id of ids) {
      const own = hosts.get(id) ?? NONE;
      if (own.length < most) lacking.set(id, own);
      else enough.push(id);
    }
    // A part may have none although the resource as a whole has as many.
    const divided = await dividedAmong(db.kysely, this.kind, enough);
    const places = await placesOf(db.kysely, this.kind, divided);
    for (const id of divided) {
      const own = hosts.get(id) ?? NONE;
      const isShort = (place: Place) => own.filter((agent) => fits(place, agent)).length < most;
      if (places(id).some(isShort)) lacking.set(id, own);
    }
    return lacking;
  }

  /**
   * Binds resources that lack agents to live ones and enqueues the notification of each new agent, in one transaction: an agent
   * that was given a resource is notified even if this process is killed. Returns the notifications.
   */
  async #scheduleMissing(lacking: Hosts): Promise<readonly QueuedEvent[]> {
    const { db, config, log } = this.#core;
    const { kind } = this;
    if (lacking.size === 0) return [];
    const ids = await couldSchedule(db.kysely, config, kind, lacking);
    if (ids.length === 0) return [];
    const { queued, bound } = await db.transaction(async (trx) => {
      const queued: QueuedEvent[] = [];
      const bound: string[] = [];
      const how = { kind, scheduler: this.#scheduler, given: this.#given };
      for (const one of await assignAgents(trx, this.#core, this.#allocator, how, ids)) {
        const { resourceId, name, agent, notification, row } = one;
        queued.push({ ...notification, row, orderingKey: resourceId, host: agent.host, needsAgent: false });
        bound.push(`${resourceId}${name && ` (${name})`} on ${agent.host}`);
      }
      return { queued, bound };
    });
    const { resource } = kind.hosted;
    if (bound.length > 0) log.info({ [`${resource}s`]: bound }, `${resource}s scheduled`);
    return queued;
  }

  /** Logs the first resource that, or a part of which, gets no agent, once until one is scheduled. */
  async #logLack(lacking: Hosts): Promise<void> {
    if (this.#lackLogged || lacking.size === 0) return;
    const alone = [...lacking].find(([, own]) => own.length === 0)?.[0];
    const { id, part } = alone === undefined ? await this.#partAlone(lacking) : { id: alone, part: undefined };
    if (id === undefined) return;
    this.#lackLogged = true;
    const { db, log } = this.#core;
    const { type, hosted } = this.kind;
    const what = part === undefined ? `the ${hosted.resource}` : `a part of the ${hosted.resource}`;
    log.warn(
      { ...(await hostedLabel(db.kysely, this.kind, id)), ...(part === undefined ? {} : { part }) },
      `no ${type} can serve ${what}; it gets one when one reports`,
    );
  }

  /** Returns the first resource with a part that no agent serves. */
  async #partAlone(lacking: Hosts): Promise<{ readonly id?: string; readonly part?: string | undefined }> {
    const { kysely } = this.#core.db;
    const divided = await dividedAmong(kysely, this.kind, [...lacking.keys()]);
    const places = await placesOf(kysely, this.kind, divided);
    for (const id of divided) {
      const own = lacking.get(id) ?? NONE;
      const alone = places(id).find((place) => !own.some((agent) => fits(place, agent)));
      if (alone) return { id, part: alone.part };
    }
    return {};
  }
}
