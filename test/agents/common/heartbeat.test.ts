import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Heartbeat, reportTime, startHeartbeat } from '../../../src/agents/common/heartbeat.ts';
import type { RpcArgs, RpcTransport } from '../../../src/rpc/contract.ts';

interface Call {
  readonly topic: string;
  readonly method: string;
  readonly args: RpcArgs;
  readonly version: string | undefined;
  readonly timeoutMs: number | undefined;
  readonly answer: (result: unknown) => void;
  readonly fail: (error: Error) => void;
}

const settle = () => vi.advanceTimersByTimeAsync(0);

describe('the heartbeat', () => {
  let calls: Call[];
  let lines: string[];
  let heartbeat: Heartbeat | undefined;
  const onRevived = vi.fn();
  const onRecovered = vi.fn();

  const transport = {
    call: (target, method, args, options) =>
      new Promise((answer, fail) => {
        calls.push({
          topic: target.topic,
          method,
          args,
          version: options?.version,
          timeoutMs: options?.timeoutMs,
          answer,
          fail,
        });
      }),
  } as Pick<RpcTransport, 'call'> as RpcTransport;

  const start = () => {
    let networks = 0;
    heartbeat = startHeartbeat({
      transport,
      intervalMs: 30_000,
      state: () => {
        networks += 1;
        return {
          binary: 'neutron-dhcp-agent',
          host: 'h1',
          topic: 'dhcp_agent',
          agent_type: 'DHCP agent',
          configurations: { networks },
        };
      },
      log: pino({ level: 'info' }, { write: (line) => lines.push(JSON.parse(line).msg) }),
      onRevived,
      onRecovered,
    });
    return heartbeat;
  };
  const state = (index: number) =>
    (calls[index]?.args.agent_state as { agent_state: Record<string, unknown> } | undefined)?.agent_state;

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] });
    calls = [];
    lines = [];
    onRevived.mockReset();
    onRecovered.mockReset();
  });
  afterEach(() => {
    heartbeat?.close();
    vi.useRealTimers();
  });

  it('reports at once and then every interval, each time anew, with a start flag until the first answer', async () => {
    start();
    expect(calls[0]).toMatchObject({
      topic: 'q-reports-plugin',
      method: 'report_state',
      version: '1.2',
      timeoutMs: 30_000,
    });
    expect(Object.keys(calls[0]?.args ?? {}).sort()).toEqual(['agent_state', 'time']);
    expect(state(0)).toMatchObject({ host: 'h1', start_flag: true, configurations: { networks: 1 } });
    calls[0]?.answer('new');
    await vi.advanceTimersByTimeAsync(29_999);
    expect(calls).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(calls).toHaveLength(2);
    expect(state(1)).toMatchObject({ configurations: { networks: 2 } });
    expect(state(1)).not.toHaveProperty('start_flag');
    expect(state(1)?.uuid).not.toBe(state(0)?.uuid);
  });

  it('never has two reports under way', async () => {
    start();
    await vi.advanceTimersByTimeAsync(300_000);
    expect(calls).toHaveLength(1);
    calls[0]?.answer('alive');
    await settle();
    expect(calls).toHaveLength(2);
  });

  it('keeps the start flag, and logs once, until a report is answered; then tells so', async () => {
    const { first } = start();
    calls[0]?.fail(new Error('no answer'));
    await first;
    for (let i = 1; i < 6; i += 1) {
      await vi.advanceTimersByTimeAsync(30_000);
      calls[i]?.fail(new Error('no answer'));
    }
    expect(lines).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(30_000);
    expect(state(6)).toMatchObject({ start_flag: true });
    expect(onRecovered).not.toHaveBeenCalled();
    calls[6]?.answer('alive');
    await settle();
    expect(onRecovered).toHaveBeenCalledTimes(1);
    expect(lines).toEqual([
      'cannot report the agent state; retrying until it succeeds',
      'agent state reports succeed again',
    ]);
  });

  it('tries again soon after a failure, and less often after many', async () => {
    start();
    calls[0]?.fail(new Error('no answer'));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(calls).toHaveLength(2);
    for (let i = 1; i < 8; i += 1) {
      calls[i]?.fail(new Error('no answer'));
      await vi.advanceTimersByTimeAsync(30_000);
    }
    const before = calls.length;
    calls.at(-1)?.fail(new Error('no answer'));
    await vi.advanceTimersByTimeAsync(20_000);
    expect(calls).toHaveLength(before);
  });

  it('tells that the server had taken it for dead, and survives a listener that throws', async () => {
    onRevived.mockImplementation(() => {
      throw new Error('listener');
    });
    start();
    calls[0]?.answer('revived');
    await vi.advanceTimersByTimeAsync(30_000);
    expect(onRevived).toHaveBeenCalledTimes(1);
    expect(calls).toHaveLength(2);
  });

  it('reports no more after close, whatever comes of the last one', async () => {
    const { first } = start();
    heartbeat?.close();
    calls[0]?.answer('revived');
    await first;
    await vi.advanceTimersByTimeAsync(300_000);
    expect(calls).toHaveLength(1);
    expect(onRevived).not.toHaveBeenCalled();
  });

  it('writes the time as the server reads it', () => {
    expect(reportTime(new Date('2026-11-21T21:57:38.766Z'))).toBe('2026-11-21T21:57:38.766000');
    expect(reportTime(new Date('2026-11-21T21:57:38Z'))).toBe('2026-11-21T21:57:38.000000');
  });
});
