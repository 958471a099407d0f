import type { Scheduler } from './contract.ts';

/** Chooses agents at random, all equally likely. `random` returns a number from 0 up to, not including, 1. */
export function chance(random: () => number = Math.random): Scheduler {
  return {
    usesLoad: false,
    choose(candidates, _hosting, count) {
      const left = [...candidates];
      // As many steps of a Fisher-Yates shuffle as agents are wanted.
      const wanted = Math.min(count, left.length);
      for (let at = 0; at < wanted; at += 1) {
        const other = at + Math.floor(random() * (left.length - at));
        const [one, two] = [left[at], left[other]];
        if (one && two) {
          left[at] = two;
          left[other] = one;
        }
      }
      return left.slice(0, Math.max(0, wanted));
    },
  };
}
