import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import type { Core } from '../plugin/core.ts';
import { groupBy } from '../plugin/listing.ts';
import type { RpcTransport } from '../rpc/contract.ts';
import type { ServingAgent } from '../scheduler/bindings.ts';
import type { Scheduler } from '../scheduler/contract.ts';
import { configuredScheduler } from '../scheduler/drivers.ts';
import { type Cast, castsOf, isDhcpNotification, isForServing, needsAgents } from './casts.ts';
import { type OutboxClaim, type OutboxRow, soleClaim } from './claim.ts';
import { Deliveries } from './deliveries.ts';
import { type Given, giveAgents, givenPayload, lackingAgents, type Serving, servingOf } from './serving.ts';

/** Events of one pass at most. */
const BATCH = 500;
/** Milliseconds between the beginnings of two passes: many commits become one pass, one delete, one wait for the disk. */
const GATHER_MS = 10;
/** How often to look without having been woken: what another process wrote, and what a wake-up missed. */
const POLL_MS = 2_000;
const AFTER_ERROR_MS = 1_000;
/** Subjects set aside at most; with more of them the transport as a whole is the trouble, and all wait. */
const MAX_ASIDE = 500;
/** Milliseconds that `close` goes on telling what is committed. */
const DRAIN_MS = 2_000;

export interface RelayOptions {
  readonly core: Core;
  readonly transport: RpcTransport;
  /** How rows are claimed; as the only server on the database unless told. */
  readonly claim?: OutboxClaim;
  readonly scheduler?: Scheduler;
}

/**
 * Tells agents what rules wrote to the outbox: at least once, in order for each network (each `network_id` of the outbox), and
 * with the network given to DHCP agents first where it needs some. A row is deleted when the transport has taken all its messages.
 * Starts at once; `close` stops it after it has told what it can within 2 s.
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

interface Event {
  readonly row: OutboxRow;
  readonly payload: Readonly<Record<string, unknown>>;
}

interface Pass {
  readonly taken: number;
  readonly told: number;
}

class Relay {
  readonly #core: Core;
  readonly #claim: OutboxClaim;
  readonly #scheduler: Scheduler;
  readonly #deliveries: Deliveries;
  #stopping = false;
  #woken = false;
  #rouse: (() => void) | undefined;
  /** When a subject that the last pass passed over has its next try. */
  #nextTry = Number.POSITIVE_INFINITY;
  /** Passes in a row that an error has ended. */
  #failures = 0;
  /** Whether it was logged already that networks lack agents. */
  #lackLogged = false;

  constructor({ core, transport, claim, scheduler }: RelayOptions) {
    this.#core = core;
    this.#claim = claim ?? soleClaim(core.db.kysely);
    const onLate = () => this.wake();
    this.#deliveries = new Deliveries({ transport, claim: this.#claim, log: core.log, onLate });
    this.#scheduler = scheduler ?? configuredScheduler(core.config);
  }

  /** Something was committed. Called for every transaction, so it does next to nothing. */
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
        const { taken, told } = await this.#pass();
        if (this.#failures > 0)
          this.#core.log.info({ failures: this.#failures }, 'the outbox is read and cleared again');
        this.#failures = 0;
        // Nothing told: what failed is held back now, and others may be waiting behind it.
        const more = taken >= BATCH || (taken > 0 && told === 0);
        if (taken === 0) await this.#sleep();
        const ms = next - performance.now();
        if (more || ms <= 0) await nextTurn();
        else if (!this.#stopping) await delay(ms);
      } catch (error) {
        this.#failures += 1;
        if (this.#failures === 1)
          this.#core.log.error({ err: error }, 'the outbox cannot be read or cleared; trying again until it can');
        else this.#core.log.debug({ err: error, failures: this.#failures }, 'the outbox cannot be read or cleared');
        if (!this.#stopping) await delay(AFTER_ERROR_MS);
      }
    }
    await this.#drain();
  }

  async #drain(): Promise<void> {
    const deadline = performance.now() + DRAIN_MS;
    try {
      while (performance.now() < deadline) {
        const { told } = await this.#pass();
        if (told > 0) continue;
        if (this.#deliveries.open === 0) return;
        await delay(GATHER_MS);
      }
      await this.#deliveries.abandon();
    } catch (error) {
      this.#core.log.warn({ err: error }, 'the outbox is left as it is; the next start goes on with it');
    }
  }

  /** Until something is committed, a subject that was held back has its next try, or the time to look anyway has come. */
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

  /** Tells the oldest events that may be told now. */
  async #pass(): Promise<Pass> {
    const late = await this.#deliveries.settle();
    const now = performance.now();
    const aside = this.#deliveries.aside(now);
    // Of the same moment: one whose turn comes while this pass reads must not be overlooked by the sleep after it.
    this.#nextTry = this.#deliveries.nextTry(now);
    const rows = aside.length < MAX_ASIDE ? await this.#claim.next(BATCH, aside) : [];
    if (rows.length === 0) return { taken: 0, told: late };
    const events = rows.map((row) => this.#read(row));
    const subjects = rows.filter((row) => isForServing(row.method)).map((row) => row.network_id);
    const { serving, given } = await this.#schedule(events, await servingOf(this.#core, new Set(subjects)));
    const announcements = [
      ...given.map((one) => ({ subject: one.networkId, row: one.row, casts: castsOfGiven(one) })),
      ...events.map((event) => ({
        subject: event.row.network_id,
        row: Number(event.row.id),
        casts: this.#casts(event, serving.get(event.row.network_id) ?? []),
      })),
    ];
    await this.#deliveries.tell(groupBy(announcements, (a) => a.subject));
    return { taken: rows.length, told: late + (await this.#deliveries.settle()) };
  }

  /** An event that cannot be read is told to nobody: it will be no better next time, and must not hold up what comes after it. */
  #read(row: OutboxRow): Event {
    try {
      return { row, payload: JSON.parse(row.payload) as Event['payload'] };
    } catch (error) {
      this.#core.log.error({ err: error, row: row.id, method: row.method }, 'an event is no JSON; it is dropped');
      return { row: { ...row, method: '' }, payload: {} };
    }
  }

  #casts({ row, payload }: Event, serving: readonly ServingAgent[]): readonly Cast[] {
    if (row.method === '') return [];
    if (isDhcpNotification(row.method) && !this.#core.config.DEFAULT.dhcp_agent_notification) return [];
    try {
      return castsOf(row.method, payload, serving);
    } catch (error) {
      this.#core.log.error({ err: error, row: row.id }, 'an event is of no known kind; it is dropped');
      return [];
    }
  }

  /** Gives networks their agents where the events show that they need some; with who serves the networks then. */
  async #schedule(
    events: readonly Event[],
    before: Serving,
  ): Promise<{ readonly serving: Serving; readonly given: readonly Given[] }> {
    const { config, log } = this.#core;
    if (!config.DEFAULT.dhcp_agent_notification) return { serving: before, given: [] };
    const needing = events.filter(({ row, payload }) => needsAgents(row.method, payload)).map((e) => e.row.network_id);
    const lacking = lackingAgents(this.#core, new Set(needing), before);
    const given = await giveAgents(this.#core, this.#scheduler, lacking);
    if (given.length === 0) {
      const alone = [...lacking].find(([, own]) => own.length === 0)?.[0];
      if (alone !== undefined && !this.#lackLogged)
        log.warn({ network: alone }, 'no DHCP agent is there to serve a network; it gets one when one starts');
      this.#lackLogged ||= alone !== undefined;
      return { serving: before, given };
    }
    this.#lackLogged = false;
    log.info({ networks: given.map(({ networkId, host }) => `${networkId} on ${host}`) }, 'networks scheduled');
    const now = await servingOf(this.#core, new Set(given.map((one) => one.networkId)));
    return { serving: new Map([...before, ...now]), given };
  }
}

const castsOfGiven = (given: Given): readonly Cast[] =>
  castsOf('agent.network_create_end', { host: given.host, payload: givenPayload(given) }, []);
