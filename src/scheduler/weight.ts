import type { Candidate, Scheduler } from './contract.ts';

/** Sorts by load; among equals by id, so that the order is total. */
export const byLoad = (a: Candidate, b: Candidate): number => a.load - b.load || (a.id < b.id ? -1 : 1);

/** Chooses the agents that host the fewest resources. */
export const weight: Scheduler = {
  usesLoad: true,
  choose: (candidates, _hosting, count) => [...candidates].sort(byLoad).slice(0, Math.max(0, count)),
};
