/** An agent that may be chosen: it is alive and enabled, and the availability zone hints of the resource allow it. */
export interface Candidate {
  readonly id: string;
  readonly host: string;
  readonly availabilityZone: string | null;
  /** Number of resources that it hosts; 0 for all unless the scheduler `usesLoad`. */
  readonly load: number;
}

/**
 * Chooses agents for a resource (`network_scheduler_driver`). Pure: no database, no clock.
 * MUST choose no agent twice and none of `hosting`; MUST choose `count` agents, or all candidates when there are fewer.
 */
export interface Scheduler {
  /** Whether `load` matters, so that it must be counted. */
  readonly usesLoad: boolean;
  /** `candidates`: agents that do not host the resource; `hosting`: those that do; `count`: agents still wanted. */
  choose(
    candidates: readonly Candidate[],
    hosting: readonly Pick<Candidate, 'id' | 'availabilityZone'>[],
    count: number,
  ): readonly Candidate[];
}
