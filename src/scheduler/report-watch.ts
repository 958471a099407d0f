/** What a server sees of the reports of all agents at one moment. Times in milliseconds. */
export interface Sight {
  /** By a clock that is never set. */
  readonly steady: number;
  /** By the clock that heartbeats are written by. */
  readonly wall: number;
  /** The newest heartbeat of any agent; undefined when there is no agent. */
  readonly newest: number | undefined;
}

/** Heartbeats are written in whole seconds. */
const ROUNDING_MS = 1_000;
/** Two clocks drift apart by less than this between two looks, unless one of them is set. */
const DRIFT_MS = 2_000;

/**
 * Whether reports have been getting through, so that one that is missing tells of its agent. After a server's start, a time when
 * no agent was heard of (the broker was away), one when this server could not look (the database was away, the machine was
 * suspended) or a jump of the clock, agents get `agent_down_time` to report again before any of them is held to be dead.
 * Agents report at least twice in that time (Neutron asks for it), so half of it without any report is too long; what is shorter
 * is bridged by the reports that agents send when the broker is back.
 */
export class ReportWatch {
  readonly #downMs: number;
  #last: Sight | undefined;
  #since: number;

  /** `steady`: now. */
  constructor(downMs: number, steady: number) {
    this.#downMs = downMs;
    this.#since = steady;
  }

  see(sight: Sight): void {
    const last = this.#last;
    this.#last = sight;
    const tooLong = this.#downMs / 2 + ROUNDING_MS;
    const silent = sight.newest !== undefined && sight.wall - sight.newest > tooLong;
    const passed = last ? sight.steady - last.steady : 0;
    const jumped = last ? Math.abs(sight.wall - last.wall - passed) > DRIFT_MS : false;
    if (silent || jumped || passed > tooLong) this.#since = sight.steady;
  }

  /** The database could not be asked. */
  blind(steady: number): void {
    this.#since = steady;
  }

  /** Whether an agent without a heartbeat within `agent_down_time` is dead as far as can be known. */
  trusts(steady: number): boolean {
    return steady - this.#since >= this.#downMs;
  }
}
