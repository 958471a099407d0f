/** A DHCP agent that may be chosen: it lives and is enabled, and the network's availability zone hints allow it. */
export interface Candidate {
  readonly id: string;
  readonly host: string;
  readonly availabilityZone: string | null;
  /** Networks that it serves; 0 for all unless the scheduler `usesLoad`. */
  readonly load: number;
}

/**
 * Chooses DHCP agents for a network (`network_scheduler_driver`). Pure: no database, no clock.
 * MUST choose no agent twice and none of `serving`; MUST choose `count` agents, or all candidates when there are fewer.
 */
export interface Scheduler {
  /** Whether `load` decides, and is therefore worth counting. */
  readonly usesLoad: boolean;
  /** `candidates`: agents that do not serve the network; `serving`: those that do; `count`: agents still wanted. */
  choose(
    candidates: readonly Candidate[],
    serving: readonly Pick<Candidate, 'id' | 'availabilityZone'>[],
    count: number,
  ): readonly Candidate[];
}
