import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { DeviceReports } from '../../../src/agents/l2/reports.ts';
import { MessagingTimeout, RemoteError } from '../../../src/rpc/errors.ts';

describe('reports of devices', () => {
  let sent: string[];
  let answers: (() => Promise<void>)[];
  let reports: DeviceReports;
  const minutes = (n: number) => vi.advanceTimersByTimeAsync(n * 60_000);

  beforeEach(() => {
    vi.useFakeTimers();
    sent = [];
    answers = [];
    reports = new DeviceReports(
      async (device, state) => {
        sent.push(`${device} ${state}`);
        await answers.shift()?.();
      },
      pino({ level: 'silent' }),
    );
  });
  afterEach(() => {
    reports.close();
    vi.useRealTimers();
  });

  test('are sent once when they are answered', async () => {
    reports.report('tap1', 'up');
    reports.report('tap2', 'up');
    await minutes(5);
    expect(sent).toEqual(['tap1 up', 'tap2 up']);
  });

  test('of one device go one after the other, the newest last', async () => {
    const first = Promise.withResolvers<void>();
    answers.push(() => first.promise);
    reports.report('tap1', 'up');
    await minutes(1);
    reports.report('tap1', 'down');
    reports.report('tap1', 'up');
    reports.report('tap1', 'down');
    await minutes(1);
    expect(sent).toEqual(['tap1 up']);
    first.resolve();
    await minutes(1);
    expect(sent).toEqual(['tap1 up', 'tap1 down']);
  });

  test('are made again until they are answered', async () => {
    for (let n = 0; n < 20; n += 1) {
      answers.push(async () => {
        throw new MessagingTimeout('q-plugin', 'update_device_up', 60_000);
      });
    }
    reports.report('tap1', 'up');
    await minutes(30);
    expect(sent).toHaveLength(21);
  });

  test('are given up after five answers that refuse them', async () => {
    for (let n = 0; n < 20; n += 1) {
      answers.push(async () => {
        throw new RemoteError('q-plugin', 'update_device_up', 'PortNotFound', 'no');
      });
    }
    reports.report('tap1', 'up');
    await minutes(30);
    expect(sent).toHaveLength(5);
    answers.length = 0;
    reports.report('tap1', 'down');
    await minutes(1);
    expect(sent.at(-1)).toBe('tap1 down');
  });

  test('that wait to be made again give way to newer ones', async () => {
    answers.push(async () => {
      throw new Error('away');
    });
    reports.report('tap1', 'up');
    await vi.advanceTimersByTimeAsync(10);
    reports.report('tap1', 'down');
    await minutes(5);
    expect(sent).toEqual(['tap1 up', 'tap1 down']);
  });
});
