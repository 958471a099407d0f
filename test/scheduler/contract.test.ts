import { describe, expect, it } from 'vitest';
import { DHCP_AGENTS } from '../../src/scheduler/agent-kinds.ts';
import { azWeight } from '../../src/scheduler/az-weight.ts';
import { chance } from '../../src/scheduler/chance.ts';
import type { Candidate, Scheduler } from '../../src/scheduler/contract.ts';
import { configuredScheduler } from '../../src/scheduler/drivers.ts';
import { weight } from '../../src/scheduler/weight.ts';
import { configWith } from '../plugin/world.ts';

const agent = (id: string, load = 0, availabilityZone: string | null = 'nova'): Candidate => ({
  id,
  host: `host-${id}`,
  availabilityZone,
  load,
});
const ids = (agents: readonly Candidate[]) => agents.map((a) => a.id);

const ALL: readonly (readonly [string, Scheduler])[] = [
  ['chance', chance()],
  ['weight', weight],
  ['az_weight', azWeight],
];

describe.each(ALL)('scheduler %s', (_name, scheduler) => {
  const candidates = [agent('a', 3, 'z1'), agent('b', 1, 'z1'), agent('c', 2, 'z2'), agent('d', 0, null)];

  it('chooses as many agents as wanted, none twice', () => {
    for (let count = 0; count <= 4; count += 1) {
      const chosen = ids(scheduler.choose(candidates, [], count));
      expect(chosen).toHaveLength(count);
      expect(new Set(chosen).size).toBe(count);
    }
  });

  it('chooses all candidates when there are fewer than wanted', () => {
    expect(ids(scheduler.choose(candidates, [], 9)).sort()).toEqual(['a', 'b', 'c', 'd']);
  });

  it('chooses none when none is wanted, or none exists', () => {
    expect(scheduler.choose(candidates, [], -1)).toEqual([]);
    expect(scheduler.choose([], [], 2)).toEqual([]);
  });

  it('does not change the candidates', () => {
    const before = JSON.stringify(candidates);
    scheduler.choose(candidates, [], 3);
    expect(JSON.stringify(candidates)).toBe(before);
  });
});

describe('chance', () => {
  it('chooses every agent at some time', () => {
    const seen = new Set<string>();
    for (let i = 0; i < 30; i += 1) {
      const at = i / 30;
      for (const id of ids(chance(() => at).choose([agent('a'), agent('b'), agent('c')], [], 1))) seen.add(id);
    }
    expect([...seen].sort()).toEqual(['a', 'b', 'c']);
  });
});

describe('weight', () => {
  it('takes the agents with the fewest networks, in order', () => {
    expect(ids(weight.choose([agent('a', 5), agent('b', 0), agent('c', 2)], [], 2))).toEqual(['b', 'c']);
  });
});

describe('az_weight', () => {
  it('spreads agents over zones before it takes a second one of a zone', () => {
    const candidates = [agent('a', 0, 'z1'), agent('b', 1, 'z1'), agent('c', 9, 'z2')];
    expect(ids(azWeight.choose(candidates, [], 2))).toEqual(['a', 'c']);
    expect(ids(azWeight.choose(candidates, [], 3))).toEqual(['a', 'c', 'b']);
  });

  it('counts the agents that host the network already', () => {
    const serving = [{ id: 'x', availabilityZone: 'z1' }];
    expect(ids(azWeight.choose([agent('a', 0, 'z1'), agent('c', 9, 'z2')], serving, 1))).toEqual(['c']);
  });
});

describe('network_scheduler_driver', () => {
  it.each([
    ['chance', false],
    ['weight', true],
    ['az_weight', true],
  ] as const)('%s is known', (name, usesLoad) => {
    expect(configuredScheduler(configWith({ DEFAULT: { network_scheduler_driver: name } }), DHCP_AGENTS).usesLoad).toBe(
      usesLoad,
    );
  });

  it('refuses an unknown name, and names it', () => {
    const config = configWith({ DEFAULT: { network_scheduler_driver: 'constructor' } });
    expect(() => configuredScheduler(config, DHCP_AGENTS)).toThrow(
      /'constructor' is none of: chance, weight, az_weight/,
    );
  });
});
