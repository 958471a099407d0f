import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { sql } from 'kysely';
import type { Logger } from 'pino';
import type { Config } from '../config/options.ts';
import type { Database } from '../db/database.ts';
import { CLAIM_MS, claimWork, releaseWork } from '../db/work-claims.ts';
import { DHCP_AGENT } from './bindings.ts';
import { livingDhcpAgents } from './candidates.ts';
import { oldestHeartbeat } from './liveness.ts';
import { ReportWatch } from './report-watch.ts';
import { networksWithSuccessor } from './successors.ts';

export interface FailoverOptions {
  readonly db: Database;
  readonly config: Config;
  readonly log: Logger;
  /**
   * Moves a network off a dead DHCP agent to a living one: one transaction with the outbox rows. Gives the host that serves it
   * now; undefined when the agent lives again, does not have the network any more, or nobody can take it.
   */
  readonly move: (networkId: string, agentId: string) => Promise<string | undefined>;
}

/** Milliseconds between two looks at most; the half of agent_down_time when that is less. */
const MAX_INTERVAL_MS = 5_000;
/** What one server at a time does. */
const WORK = 'dhcp_failover';
/** Moves that may fail in a row: then it is the database rather than a network. */
const MAX_FAILED = 3;
/** The claim is made anew this often while networks are moved. */
const RENEW_MS = CLAIM_MS / 4;

/**
 * Takes networks off DHCP agents that count as dead and has living ones serve them (`allow_automatic_dhcp_failover`, and, as in
 * Neutron, `network_auto_schedule`; disabled agents keep theirs): looks every few seconds, one server of many at a time. Nothing
 * moves before this server has been up for `agent_down_time`, nor until so long after the reports of all agents had been
 * missing: then not the agents were gone, but the way of their reports. Nothing moves either that nobody could take.
 */
export function startFailover(options: FailoverOptions): { close(): Promise<void> } {
  const { allow_automatic_dhcp_failover: allowed, network_auto_schedule: scheduled } = options.config.DEFAULT;
  if (!allowed || !scheduled) return { close: async () => {} };
  const stop = new AbortController();
  const running = new Failover(options, stop.signal).run();
  return {
    async close() {
      stop.abort();
      await running;
    },
  };
}

class Failover {
  readonly #options: FailoverOptions;
  readonly #stop: AbortSignal;
  readonly #intervalMs: number;
  readonly #watch: ReportWatch;
  #looked = Number.NEGATIVE_INFINITY;
  #failing = false;
  /** Moves in a row that failed. */
  #failed = 0;

  constructor(options: FailoverOptions, stop: AbortSignal) {
    this.#options = options;
    this.#stop = stop;
    const downMs = options.config.DEFAULT.agent_down_time * 1_000;
    this.#intervalMs = Math.min(MAX_INTERVAL_MS, downMs / 2);
    this.#watch = new ReportWatch(downMs, performance.now());
  }

  async run(): Promise<void> {
    while (!this.#stop.aborted) {
      try {
        if (await this.#trustworthy()) await this.#moveAll();
        this.#failing = false;
      } catch (error) {
        this.#watch.blind(performance.now());
        if (!this.#failing) this.#options.log.warn({ err: error }, 'dead DHCP agents cannot be looked for; trying on');
        this.#failing = true;
      }
      await delay(this.#intervalMs, undefined, { signal: this.#stop }).catch(() => undefined);
    }
  }

  /** Whether a missing heartbeat means a dead agent; looks at the reports if that is some time ago. */
  async #trustworthy(): Promise<boolean> {
    // Timers may be a little early.
    if (performance.now() - this.#looked < this.#intervalMs * 0.9) return this.#watch.trusts(this.#looked);
    const row = await this.#options.db.kysely
      .selectFrom('agents')
      .select((eb) => eb.fn.max('heartbeat_timestamp').as('newest'))
      .executeTakeFirst();
    const newest = row?.newest ? Date.parse(`${row.newest.replace(' ', 'T')}Z`) : undefined;
    this.#looked = performance.now();
    this.#watch.see({ steady: this.#looked, wall: Date.now(), newest });
    return this.#watch.trusts(this.#looked);
  }

  async #moveAll(): Promise<void> {
    const { db, config, log } = this.#options;
    const dead = await this.#deadAgents();
    if (dead.length === 0) return;
    const living = await livingDhcpAgents(db.kysely, config, false);
    if (living.length === 0) return;
    const claim = new RenewedClaim(db);
    try {
      for (const agent of dead) {
        let moved = 0;
        for await (const networkId of networksWithSuccessor(db.kysely, config, agent.id, living)) {
          if (this.#stop.aborted || !(await this.#trustworthy()) || !(await claim.holds())) return;
          const host = await this.#move(networkId, agent.id);
          if (host === undefined) continue;
          moved += 1;
          log.info({ network: networkId, from: agent.host, to: host }, 'network moved off a dead DHCP agent');
        }
        if (moved > 0)
          log.warn({ agent: agent.id, host: agent.host, networks: moved }, 'a DHCP agent is dead; its networks moved');
      }
    } finally {
      await claim.release();
    }
  }

  /** One network that cannot be moved keeps none of the others where they are; several in a row end it, until the next look. */
  async #move(networkId: string, agentId: string): Promise<string | undefined> {
    try {
      const host = await this.#options.move(networkId, agentId);
      this.#failed = 0;
      return host;
    } catch (error) {
      this.#failed += 1;
      if (this.#failed >= MAX_FAILED) throw error;
      this.#options.log.error({ err: error, network: networkId }, 'a network cannot be moved off a dead DHCP agent');
      return undefined;
    }
  }

  /** Enabled DHCP agents that count as dead and have networks. */
  #deadAgents(): Promise<readonly { readonly id: string; readonly host: string }[]> {
    const { db, config } = this.#options;
    return db.kysely
      .selectFrom('agents')
      .select(['id', 'host'])
      .where('agent_type', '=', DHCP_AGENT)
      .where('admin_state_up', '=', 1)
      .where('heartbeat_timestamp', '<', oldestHeartbeat(config))
      .where(sql<boolean>`exists (select 1 from networkdhcpagentbindings b where b.dhcp_agent_id = agents.id)`)
      .orderBy('id')
      .execute();
  }
}

/** The claim to move networks: this server's own as long as it is asked for now and then. */
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
    const { dialect } = this.#db;
    const owned = await this.#db.transaction((trx) => claimWork(trx, dialect, this.#owner, [WORK]));
    this.#held = owned.has(WORK);
    return this.#held;
  }

  async release(): Promise<void> {
    if (this.#held) await this.#db.transaction((trx) => releaseWork(trx, this.#owner, [WORK]));
    this.#held = false;
  }
}
