import { setImmediate as nextTurn } from 'node:timers/promises';
import { AddressAllocator } from '../ipam/allocate.ts';
import { HOSTINGS, type Hosting } from '../plugin/agents/hosting.ts';
import type { Core } from '../plugin/core.ts';
import type { RpcArgs, RpcTransport } from '../rpc/contract.ts';
import { type AgentEvent, EVENTS } from '../rpc/events.ts';
import type { HostingAgent } from '../scheduler/bindings.ts';
import { groupBy } from '../store/listing.ts';
import { pause } from '../time/pause.ts';
import { type Cast, castsOf, furtherCasts, type QueuedEvent } from './casts.ts';
import { type OutboxClaim, type OutboxRow, soleClaim } from './claim.ts';
import { Deliveries } from './deliveries.ts';
import { HostingAgents } from './hosting-agents.ts';
import type { Announcement } from './publish.ts';

/** Maximum number of events per pass. */
const BATCH = 500;
/** Milliseconds between the starts of two passes: many commits become one pass, one delete, one wait for the disk. */
const GATHER_MS = 10;
/** Polling interval without wake-ups: for rows of other processes, and for missed wake-ups. */
const POLL_MS = 2_000;
const AFTER_ERROR_MS = 1_000;
/** Maximum number of postponed ordering keys; with more, the transport as a whole has failed, and all wait. */
const MAX_ASIDE = 500;
/** Milliseconds that `close` keeps publishing what is committed. */
const DRAIN_MS = 2_000;

export interface RelayOptions {
  readonly core: Core;
  readonly transport: Pick<RpcTransport, 'cast'>;
  /** How rows are claimed; default: as the only server on the database. */
  readonly claim?: OutboxClaim;
  /** The events by name; default: the catalogue of `rpc/events.ts`. */
  readonly events?: Readonly<Record<string, AgentEvent>>;
  /** The kinds of agents that host resources; default: all. */
  readonly hostings?: readonly Hosting[];
  /** Allocates the addresses of ports that agents get with a resource; default: one of its own. */
  readonly allocator?: AddressAllocator;
}

/**
 * Publishes to agents what rules wrote to the outbox: at least once, in order for each ordering key, and after the resource was
 * scheduled if it needs an agent. A row is deleted once the transport has accepted all of its messages. Starts at once; `close`
 * stops it after it has published what it can within 2 s.
 */
export function startRelay(options: RelayOptions): { close(): Promise<void> } {
  const relay = new Relay(options);
  options.core.db.onCommit(() => relay.wake());
  const running = relay.run();
  return {
    async close() {
      relay.stop();
      await running;
    },
  };
}

interface Pass {
  readonly taken: number;
  readonly published: number;
}

class Relay {
  readonly #core: Core;
  readonly #claim: OutboxClaim;
  readonly #events: Readonly<Record<string, AgentEvent>>;
  readonly #hosting: HostingAgents;
  readonly #deliveries: Deliveries;
  #stopping = false;
  #woken = false;
  #rouse: (() => void) | undefined;
  /** When the next retry of postponed keys is due. */
  #nextTry = Number.POSITIVE_INFINITY;
  /** Consecutive passes that ended in an error. */
  #failures = 0;

  constructor({ core, transport, claim, events = EVENTS, hostings = HOSTINGS, allocator }: RelayOptions) {
    this.#core = core;
    this.#claim = claim ?? soleClaim(core.db.kysely);
    const onLate = () => this.wake();
    this.#deliveries = new Deliveries({ transport, claim: this.#claim, log: core.log, onLate });
    this.#events = events;
    this.#hosting = new HostingAgents(core, allocator ?? new AddressAllocator(), hostings, Object.values(events));
  }

  /** Called after every commit, so it must be cheap. */
  wake(): void {
    this.#woken = true;
    this.#rouse?.();
  }

  stop(): void {
    this.#stopping = true;
    this.wake();
  }

  async run(): Promise<void> {
    while (!this.#stopping) {
      this.#woken = false;
      try {
        const next = performance.now() + GATHER_MS;
        const { taken, published } = await this.#pass();
        if (this.#failures > 0) this.#core.log.info({ failures: this.#failures }, 'the outbox is processed again');
        this.#failures = 0;
        // Nothing was published: the failed keys are now postponed, and others may be waiting behind them.
        const more = taken >= BATCH || (taken > 0 && published === 0);
        if (taken === 0) await this.#sleep();
        const ms = next - performance.now();
        if (more || ms <= 0) await nextTurn();
        else if (!this.#stopping) await pause(ms);
      } catch (error) {
        this.#failures += 1;
        if (this.#failures === 1)
          this.#core.log.error({ err: error }, 'cannot process the outbox; retrying until it succeeds');
        else this.#core.log.debug({ err: error, failures: this.#failures }, 'cannot process the outbox');
        if (!this.#stopping) await pause(AFTER_ERROR_MS);
      }
    }
    await this.#drain();
  }

  async #drain(): Promise<void> {
    const deadline = performance.now() + DRAIN_MS;
    try {
      while (performance.now() < deadline) {
        const { published } = await this.#pass();
        if (published > 0) continue;
        if (this.#deliveries.open === 0) return;
        await pause(GATHER_MS);
      }
      await this.#deliveries.abandon();
    } catch (error) {
      this.#core.log.warn({ err: error }, 'the outbox was not fully processed; the next start continues with it');
    }
  }

  /** Waits until something is committed, a retry is due, or the polling interval ends. */
  async #sleep(): Promise<void> {
    if (this.#woken || this.#stopping) return;
    const ms = Math.max(1, Math.min(POLL_MS, this.#nextTry - performance.now()));
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#rouse = resolve;
    const timer = setTimeout(resolve, ms);
    await promise;
    clearTimeout(timer);
    this.#rouse = undefined;
  }

  /** Publishes the oldest events that are not postponed. */
  async #pass(): Promise<Pass> {
    const late = await this.#deliveries.settle();
    const now = performance.now();
    const aside = this.#deliveries.aside(now);
    // At the same time, so that the sleep after this pass does not miss a key that becomes due while the pass reads.
    this.#nextTry = this.#deliveries.nextTry(now);
    const rows = aside.length < MAX_ASIDE ? await this.#claim.next(BATCH, aside) : [];
    if (rows.length === 0) return { taken: 0, published: late };
    const events: QueuedEvent[] = [];
    const unreadable: (Announcement & Pick<QueuedEvent, 'orderingKey'>)[] = [];
    for (const row of rows) {
      const event = this.#read(row);
      if (event) events.push(event);
      else unreadable.push({ row: Number(row.id), orderingKey: row.ordering_key, casts: [] });
    }
    const hosts = await this.#hosting.hostsOf(events);
    const told = new Set<string>();
    // From the end, so that of equal further messages the last one remains, after everything that it is about.
    const announcements = [...hosts.scheduled, ...events].reverse().map((event) => ({
      row: event.row,
      orderingKey: event.orderingKey,
      casts: [...this.#casts(event, hosts.of(event)), ...this.#further(event, told)],
    }));
    announcements.reverse();
    await this.#deliveries.publish(groupBy([...unreadable, ...announcements], (one) => one.orderingKey));
    return { taken: rows.length, published: late + (await this.#deliveries.settle()) };
  }

  /** Drops an event that cannot be read: a retry would not help, and it must not delay the events after it. */
  #read({ id, ordering_key: orderingKey, host, method, payload }: OutboxRow): QueuedEvent | undefined {
    const event = Object.hasOwn(this.#events, method) ? this.#events[method] : undefined;
    try {
      if (!event) throw new Error(`no event of the catalogue has the name ${method}`);
      const args = JSON.parse(payload) as RpcArgs;
      const needsAgent = event.needsAgent?.(args) ?? false;
      return { row: Number(id), orderingKey, host, event, payload: args, needsAgent };
    } catch (error) {
      this.#core.log.error({ err: error, row: id, event: method }, 'cannot read an event of the outbox; it is dropped');
      return undefined;
    }
  }

  /** Returns what is told of an event on fanouts and not by a later one of the same key. `told`: such messages. */
  #further(event: QueuedEvent, told: Set<string>): readonly Cast[] {
    return furtherCasts(event).filter((cast) => {
      const key = JSON.stringify([event.orderingKey, cast]);
      const isNew = !told.has(key);
      told.add(key);
      return isNew;
    });
  }

  #casts(event: QueuedEvent, hosting: readonly HostingAgent[]): readonly Cast[] {
    if (this.#hosting.isMuted(event.event)) return [];
    try {
      return castsOf(event, hosting);
    } catch (error) {
      const facts = { err: error, row: event.row, event: event.event.name };
      this.#core.log.error(facts, 'cannot address an event of the outbox; it is dropped');
      return [];
    }
  }
}
