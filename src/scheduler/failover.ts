import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import type { Logger } from 'pino';
import type { Config } from '../config/options.ts';
import type { Database } from '../db/database.ts';
import { CLAIM_MS, claimWork, releaseWork } from '../db/work-claims.ts';
import { pause } from '../time/pause.ts';
import { HOSTING_KINDS } from './agent-kinds.ts';
import { bindingsOf } from './bindings.ts';
import { aliveAgents } from './candidates.ts';
import { HeartbeatTrust } from './heartbeat-trust.ts';
import { failsOver, type HostingKind } from './hosting-kind.ts';
import { oldestHeartbeat } from './liveness.ts';
import { hostedLabel } from './schedule.ts';
import { resourcesWithSuccessor } from './successors.ts';

export interface FailoverOptions {
  readonly db: Database;
  readonly config: Config;
  readonly log: Logger;
  /**
   * Moves a resource off a dead agent to a live one: one transaction with the outbox rows. Returns the host that serves it now;
   * undefined when the agent is alive again, does not host the resource any more, or no agent can take it.
   */
  readonly move: (kind: HostingKind, resourceId: string, agentId: string) => Promise<string | undefined>;
  /** Default: all. */
  readonly kinds?: readonly HostingKind[];
}

/** Milliseconds between two looks at most; half of agent_down_time when that is less. */
const MAX_INTERVAL_MS = 5_000;
/** The task that one server performs at a time; named after DHCP agents, the first kind. */
const WORK = 'dhcp_failover';
/** Consecutive moves that may fail: after more the database is the cause rather than a resource. */
const MAX_FAILED = 3;
/** The claim is renewed this often while resources are moved. */
const RENEW_MS = CLAIM_MS / 4;

/**
 * Moves resources from agents that are considered dead to live ones, for the kinds with failover enabled in the configuration;
 * disabled agents keep theirs. Checks every few seconds, one of several servers at a time. Nothing moves before this server has
 * been up for `agent_down_time`, nor until that long after the heartbeats of all agents were missing: then the report path was
 * down, not the agents. Nothing moves either that no agent could take.
 */
export function startFailover(options: FailoverOptions): { close(): Promise<void> } {
  const kinds = (options.kinds ?? HOSTING_KINDS).filter((kind) => failsOver(options.config, kind));
  if (kinds.length === 0) return { close: async () => {} };
  const stop = new AbortController();
  const running = new Failover(options, kinds, stop.signal).run();
  return {
    async close() {
      stop.abort();
      await running;
    },
  };
}

class Failover {
  readonly #options: FailoverOptions;
  readonly #kinds: readonly HostingKind[];
  readonly #stop: AbortSignal;
  readonly #intervalMs: number;
  readonly #trust: HeartbeatTrust;
  #looked = Number.NEGATIVE_INFINITY;
  #failing = false;
  /** Consecutive moves that failed. */
  #failed = 0;

  constructor(options: FailoverOptions, kinds: readonly HostingKind[], stop: AbortSignal) {
    this.#options = options;
    this.#kinds = kinds;
    this.#stop = stop;
    const downMs = options.config.DEFAULT.agent_down_time * 1_000;
    this.#intervalMs = Math.min(MAX_INTERVAL_MS, downMs / 2);
    this.#trust = new HeartbeatTrust(downMs, performance.now());
  }

  async run(): Promise<void> {
    while (!this.#stop.aborted) {
      try {
        if (await this.#trustworthy()) for (const kind of this.#kinds) await this.#moveAll(kind);
        this.#failing = false;
      } catch (error) {
        this.#trust.blind(performance.now());
        if (!this.#failing) this.#options.log.warn({ err: error }, 'cannot check for dead agents; retrying');
        this.#failing = true;
      }
      await pause(this.#intervalMs, this.#stop);
    }
  }

  /** Whether a missing heartbeat means a dead agent; reads the heartbeats if the last look was some time ago. */
  async #trustworthy(): Promise<boolean> {
    // Timers may fire a little early.
    if (performance.now() - this.#looked < this.#intervalMs * 0.9) return this.#trust.isTrusted(this.#looked);
    const row = await this.#options.db.kysely
      .selectFrom('agents')
      .select((eb) => eb.fn.max('heartbeat_timestamp').as('newest'))
      .executeTakeFirst();
    const newest = row?.newest ? Date.parse(`${row.newest.replace(' ', 'T')}Z`) : undefined;
    this.#looked = performance.now();
    this.#trust.observe({ steady: this.#looked, wall: Date.now(), newest });
    return this.#trust.isTrusted(this.#looked);
  }

  async #moveAll(kind: HostingKind): Promise<void> {
    const { db, config, log } = this.#options;
    const dead = await this.#deadAgents(kind);
    if (dead.length === 0) return;
    const alive = await aliveAgents(db.kysely, config, kind, false);
    if (alive.length === 0) return;
    const { type, hosted } = kind;
    const claim = new RenewedClaim(db);
    try {
      for (const agent of dead) {
        let moved = 0;
        for await (const id of resourcesWithSuccessor(db.kysely, config, kind, agent.id, alive)) {
          if (this.#stop.aborted || !(await this.#trustworthy()) || !(await claim.holds())) return;
          const host = await this.#move(kind, id, agent.id);
          if (host === undefined) continue;
          moved += 1;
          const label = await hostedLabel(db.kysely, kind, id);
          log.info({ ...label, from: agent.host, to: host }, `${hosted.resource} moved off a dead ${type}`);
        }
        const facts = { agent: agent.id, host: agent.host, moved };
        if (moved > 0) log.warn(facts, `${type} on ${agent.host} is dead; ${moved} ${hosted.resource}s moved`);
      }
    } finally {
      await claim.release();
    }
  }

  /**
   * A resource that cannot be moved does not prevent others from being moved; after several failures in a row, the next check
   * continues.
   */
  async #move(kind: HostingKind, id: string, agentId: string): Promise<string | undefined> {
    try {
      const host = await this.#options.move(kind, id, agentId);
      this.#failed = 0;
      return host;
    } catch (error) {
      this.#failed += 1;
      if (this.#failed >= MAX_FAILED) throw error;
      const { resource } = kind.hosted;
      this.#options.log.error({ err: error, [resource]: id }, `cannot move a ${resource} off a dead ${kind.type}`);
      return undefined;
    }
  }

  /** Enabled agents of a kind that count as dead and host something. */
  #deadAgents(kind: HostingKind): Promise<readonly { readonly id: string; readonly host: string }[]> {
    const { db, config } = this.#options;
    return db.kysely
      .selectFrom('agents')
      .select(['id', 'host'])
      .where('agent_type', '=', kind.type)
      .where('admin_state_up', '=', 1)
      .where('heartbeat_timestamp', '<', oldestHeartbeat(config))
      .where(sql<boolean>`exists (select 1 from ${bindingsOf(kind)} b where b.agent_id = agents.id)`)
      .orderBy('id')
      .execute();
  }
}

/** The claim to move resources, which this server keeps while it renews it. */
class RenewedClaim {
  readonly #db: Database;
  readonly #owner = randomUUID();
  #held = false;
  #made = Number.NEGATIVE_INFINITY;

  constructor(db: Database) {
    this.#db = db;
  }

  async holds(): Promise<boolean> {
    if (performance.now() - this.#made < RENEW_MS) return this.#held;
    this.#made = performance.now();
    const owned = await this.#db.transaction((trx) => claimWork(this.#db, trx, this.#owner, [WORK]));
    this.#held = owned.has(WORK);
    return this.#held;
  }

  async release(): Promise<void> {
    if (this.#held) await this.#db.transaction((trx) => releaseWork(trx, this.#owner, [WORK]));
    this.#held = false;
  }
}
