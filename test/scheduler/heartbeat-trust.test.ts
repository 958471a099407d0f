import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HeartbeatTrust } from '../../src/scheduler/heartbeat-trust.ts';

const DOWN = 75_000;
const WALL = Date.UTC(2026, 10, 21, 12);
/** A server that looks every 5 s; heartbeats are given by their age. */
function server() {
  const trust = new HeartbeatTrust(DOWN, 0);
  let now = 0;
  let jump = 0;
  const look = (age: number | undefined) => {
    const wall = WALL + now + jump;
    trust.observe({ steady: now, wall, newest: age === undefined ? undefined : wall - age });
    return trust.isTrusted(now);
  };
  return {
    look,
    /** Looks on for so long, every 5 s, with the newest heartbeat of that age; what was believed at the end. */
    during(ms: number, age: number | undefined) {
      let trusts = false;
      for (const end = now + ms; now < end; ) {
        now += 5_000;
        trusts = look(age);
      }
      return trusts;
    },
    sleep: (ms: number) => {
      now += ms;
    },
    setClock: (ms: number) => {
      jump += ms;
    },
  };
}

describe('missing heartbeats', () => {
  it('mean nothing until agent_down_time after the start of the server', () => {
    const one = server();
    expect(one.during(70_000, 10_000)).toBe(false);
    expect(one.during(5_000, 10_000)).toBe(true);
  });

  it('mean dead agents while others report', () => {
    const one = server();
    one.during(75_000, 10_000);
    expect(one.during(600_000, 31_000)).toBe(true);
  });

  it('mean nothing while no agent reports, nor until agents had agent_down_time again', () => {
    const one = server();
    one.during(75_000, 10_000);
    expect(one.during(5_000, 40_000)).toBe(false);
    expect(one.during(70_000, 0)).toBe(false);
    expect(one.during(5_000, 0)).toBe(true);
  });

  it('mean nothing after a time when the server could not look', () => {
    const one = server();
    one.during(75_000, 10_000);
    one.sleep(40_000);
    expect(one.look(10_000)).toBe(false);
    expect(one.during(70_000, 10_000)).toBe(false);
    expect(one.during(5_000, 10_000)).toBe(true);
  });

  it.each([-3_600_000, -3_000, 3_000, 3_600_000])('mean nothing after the clock jumped by %i ms', (ms) => {
    const one = server();
    one.during(75_000, 10_000);
    one.setClock(ms);
    expect(one.during(75_000, 0)).toBe(false);
    expect(one.during(5_000, 0)).toBe(true);
  });

  it('mean nothing after the database could not be read', () => {
    const trust = new HeartbeatTrust(DOWN, 0);
    trust.observe({ steady: 80_000, wall: WALL + 80_000, newest: WALL + 80_000 });
    trust.blind(85_000);
    expect(trust.isTrusted(159_000)).toBe(false);
    expect(trust.isTrusted(160_000)).toBe(true);
  });

  it('are trusted when there is no agent at all', () => {
    expect(server().during(80_000, undefined)).toBe(true);
  });
});

describe('a live agent never counts as dead', () => {
  const DOWN_S = 75;
  /** Seconds between reports, as Neutron has it by default or less, and when. */
  const agents = fc.array(fc.record({ every: fc.integer({ min: 5, max: 30 }), at: fc.integer({ min: 0, max: 29 }) }), {
    minLength: 1,
    maxLength: 5,
  });
  const outage = fc.record({ from: fc.integer({ min: 76, max: 200 }), seconds: fc.integer({ min: 0, max: 400 }) });
  const ALWAYS = { from: Number.POSITIVE_INFINITY, seconds: 0, back: 0 };
  type Reporter = { readonly every: number; readonly at: number };

  /** Whether an agent is ever held to be dead, second by second, while nothing but what is given goes wrong. */
  function story(
    reporting: readonly Reporter[],
    { from, seconds, back }: typeof ALWAYS,
    clock: (second: number) => number,
    blind = false,
  ): boolean {
    const trust = new HeartbeatTrust(DOWN_S * 1_000, 0);
    const heartbeats = reporting.map(() => clock(0));
    const late = new Set<number>();
    const until = from + seconds;
    const away = (second: number) => second >= from && second < until;
    for (let second = 0; second < 4 * DOWN_S + (Number.isFinite(until) ? until : 300); second += 1) {
      for (const [index, { every, at }] of reporting.entries()) {
        if (second % every === at % every) late.add(index);
        // Reports that were due meanwhile come when the broker is back, as soon as their agents have noticed.
        if (!late.has(index) || (second >= from && second < until + back)) continue;
        late.delete(index);
        heartbeats[index] = clock(second);
      }
      if (second % 5 !== 0) continue;
      const steady = second * 1_000;
      if (blind && away(second)) trust.blind(steady);
      else trust.observe({ steady, wall: clock(second) * 1_000, newest: Math.max(...heartbeats) * 1_000 });
      const dead = heartbeats.some((heartbeat) => heartbeat < clock(second) - DOWN_S);
      if (dead && trust.isTrusted(steady)) return true;
    }
    return false;
  }
  const now = (second: number) => WALL / 1_000 + second;
  const RUNS = { numRuns: 1_000 };

  it('because the broker is down for a while', () => {
    fc.assert(
      fc.property(agents, outage, (some, away) => !story(some, { ...away, back: 5 }, now)),
      RUNS,
    );
  });

  it('because the database is down for a while', () => {
    fc.assert(
      fc.property(agents, outage, (some, away) => !story(some, { ...away, back: 29 }, now, true)),
      RUNS,
    );
  });

  it('because the clock is set', () => {
    const jumps = fc.integer({ min: -100_000, max: 100_000 });
    fc.assert(
      fc.property(agents, outage, jumps, (some, { from }, jump) => {
        return !story(some, ALWAYS, (second) => now(second) + (second >= from ? jump : 0));
      }),
      RUNS,
    );
  });

  it('but a dead one does', () => {
    const some = [
      { every: 30, at: 3 },
      { every: 1_000_000, at: 3 },
    ];
    expect(story(some, ALWAYS, now)).toBe(true);
  });
});
