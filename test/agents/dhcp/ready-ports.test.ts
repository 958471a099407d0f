import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ReadyPorts } from '../../../src/agents/dhcp/ready-ports.ts';

const ids = (count: number) => Array.from({ length: count }, (_, index) => `p${index}`);

describe('telling which ports are ready', () => {
  let calls: { portIds: readonly string[]; answer: PromiseWithResolvers<void> }[];
  let ready: ReadyPorts;
  const lines: string[] = [];
  const settle = () => vi.advanceTimersByTimeAsync(0);

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    calls = [];
    lines.length = 0;
    ready = new ReadyPorts(
      (portIds) => {
        const answer = Promise.withResolvers<void>();
        calls.push({ portIds, answer });
        return answer.promise;
      },
      pino({ level: 'info' }, { write: (line) => lines.push(line) }),
    );
  });
  afterEach(() => {
    ready.close();
    vi.useRealTimers();
  });

  it('goes at most 64 ids a call, one call at a time', async () => {
    ready.add(ids(150));
    await settle();
    expect(calls.map((call) => call.portIds.length)).toEqual([64]);
    calls[0]?.answer.resolve();
    await settle();
    calls[1]?.answer.resolve();
    await settle();
    expect(calls.map((call) => call.portIds.length)).toEqual([64, 64, 22]);
    expect(new Set(calls.flatMap((call) => call.portIds)).size).toBe(150);
  });

  it('collects what becomes ready while a call is under way, each id once', async () => {
    ready.add(['a']);
    ready.add(['b']);
    ready.add(['b', 'c']);
    calls[0]?.answer.resolve();
    await settle();
    expect(calls.map((call) => call.portIds)).toEqual([['a'], ['b', 'c']]);
  });

  it('tries again until the server has been told, and logs it once', async () => {
    ready.add(['a']);
    for (let tries = 0; tries < 5; tries += 1) {
      calls.at(-1)?.answer.reject(new Error('no answer'));
      await vi.advanceTimersByTimeAsync(30_000);
    }
    expect(calls.map((call) => call.portIds)).toEqual(Array(6).fill(['a']));
    expect(lines).toHaveLength(1);
    calls.at(-1)?.answer.resolve();
    await vi.advanceTimersByTimeAsync(120_000);
    expect(calls).toHaveLength(6);
  });

  it('does not tell of a port that went before it could', async () => {
    ready.add(['a']);
    ready.add(['b', 'c']);
    ready.forget('b');
    calls[0]?.answer.resolve();
    await settle();
    expect(calls[1]?.portIds).toEqual(['c']);
  });

  it('tells nothing after close', async () => {
    ready.add(['a']);
    ready.close();
    ready.add(['b']);
    calls[0]?.answer.reject(new Error('closed'));
    await vi.advanceTimersByTimeAsync(120_000);
    expect(calls).toHaveLength(1);
  });
});
