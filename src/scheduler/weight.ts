import type { Candidate, Scheduler } from './contract.ts';

/** The agent with fewer networks first; among equals the one whose id comes first, so that the order is total. */
export const byLoad = (a: Candidate, b: Candidate): number => a.load - b.load || (a.id < b.id ? -1 : 1);

/** The agents that serve the fewest networks. */
export const weight: Scheduler = {
  usesLoad: true,
  choose: (candidates, _serving, count) => [...candidates].sort(byLoad).slice(0, Math.max(0, count)),
};
