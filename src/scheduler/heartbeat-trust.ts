/** What a server sees of the heartbeats of all agents at one moment. Times in milliseconds. */
export interface Observation {
  /** By a clock that is never set. */
  readonly steady: number;
  /** By the clock that heartbeats are written with. */
  readonly wall: number;
  /** The newest heartbeat of any agent; undefined if there are no agents. */
  readonly newest: number | undefined;
}

/** Heartbeats are written in whole seconds. */
const ROUNDING_MS = 1_000;
/** Two clocks drift apart by less than this between two observations, unless one of them is set. */
const DRIFT_MS = 2_000;

/**
 * Decides whether heartbeats have been arriving, so that a missing one proves something about its agent. Agents get
 * `agent_down_time` to report again before any of them counts as dead: after the start of the server, a time without any
 * heartbeat (the broker was down), a time when this server could not look (the database was down, the machine was suspended), or
 * a jump of the clock. Agents report at least twice in that time (Neutron requires it), so half of it without any heartbeat is
 * too long; shorter outages are bridged by the reports that agents send when the broker is back.
 */
export class HeartbeatTrust {
  readonly #downMs: number;
  #last: Observation | undefined;
  #since: number;

  /** `steady`: now. */
  constructor(downMs: number, steady: number) {
    this.#downMs = downMs;
    this.#since = steady;
  }

  observe(observation: Observation): void {
    const last = this.#last;
    this.#last = observation;
    const tooLong = this.#downMs / 2 + ROUNDING_MS;
    const silent = observation.newest !== undefined && observation.wall - observation.newest > tooLong;
    const passed = last ? observation.steady - last.steady : 0;
    const jumped = last ? Math.abs(observation.wall - last.wall - passed) > DRIFT_MS : false;
    if (silent || jumped || passed > tooLong) this.#since = observation.steady;
  }

  /** The heartbeats could not be read. */
  blind(steady: number): void {
    this.#since = steady;
  }

  /** Whether an agent without a heartbeat within `agent_down_time` is dead as far as can be known. */
  isTrusted(steady: number): boolean {
    return steady - this.#since >= this.#downMs;
  }
}
