import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, expect, test, vi } from 'vitest';
import { ServerWatch, type Watched } from '../../../../../src/agents/dhcp/drivers/dnsmasq/watch.ts';
import { showProcess } from '../../../../../src/linux/processes.ts';

afterEach(() => {
  vi.useRealTimers();
});

test('tells of processes that are gone or another one by now, not of busy networks, and keeps logs short', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'neutrino-watch-'));
  const log = join(folder, 'log');
  await writeFile(log, 'x'.repeat(100));
  const self = await showProcess(process.pid);
  if (!self) throw new Error('no /proc');
  const one = (more: object): Watched => ({ process: { ...self, ...more }, log, maxLogBytes: 99 });
  const watched = new Map([
    ['lives', one({})],
    ['another', one({ startTime: self.startTime - 1 })],
    ['gone', one({ pid: 2 ** 22 + 1 })],
    ['busy', one({ pid: 2 ** 22 + 1 })],
  ]);
  const deaths = new Set<string>();
  vi.useFakeTimers();
  const isBusy = (id: string) => id === 'busy';
  const watch = new ServerWatch(watched, isBusy, (id) => deaths.add(id), pino({ level: 'silent' }));
  try {
    vi.advanceTimersByTime(500);
    expect([...deaths].sort()).toEqual(['another', 'gone']);
    vi.advanceTimersByTime(10_000);
    expect((await stat(log)).size).toBe(0);
    expect((await stat(`${log}.1`)).size).toBe(100);
    deaths.clear();
    watch.close();
    vi.advanceTimersByTime(10_000);
    expect(deaths.size).toBe(0);
  } finally {
    watch.close();
    await rm(folder, { recursive: true, force: true });
  }
});
