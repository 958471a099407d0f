import type { Candidate, Scheduler } from './contract.ts';
import { byLoad } from './weight.ts';

/** Spreads the agents of a resource over availability zones, and takes the least loaded of each. */
export const azWeight: Scheduler = {
  usesLoad: true,
  choose(candidates, hosting, count) {
    const zones = new Map<string, { readonly left: Candidate[]; agents: number }>();
    for (const candidate of [...candidates].sort(byLoad)) {
      const name = candidate.availabilityZone ?? '';
      const zone = zones.get(name);
      if (zone) zone.left.push(candidate);
      else zones.set(name, { left: [candidate], agents: 0 });
    }
    for (const { availabilityZone } of hosting) {
      const zone = zones.get(availabilityZone ?? '');
      if (zone) zone.agents += 1;
    }
    const chosen: Candidate[] = [];
    while (chosen.length < count) {
      const open = [...zones.values()].filter((zone) => zone.left.length > 0);
      // The zone with the fewest agents of the resource; among equals the one with the least loaded agent.
      open.sort((a, b) => a.agents - b.agents || byLoad(a.left[0] as Candidate, b.left[0] as Candidate));
      const next = open[0]?.left.shift();
      if (!next || !open[0]) break;
      open[0].agents += 1;
      chosen.push(next);
    }
    return chosen;
  },
};
