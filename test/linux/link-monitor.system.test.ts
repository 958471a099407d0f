import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ipBatch } from '../../src/linux/ip.ts';
import { type LinkEvent, type LinkMonitor, parseMonitorLine, startLinkMonitor } from '../../src/linux/link-monitor.ts';
import { deleteNamespace, ensureNamespace } from '../../src/linux/namespaces.ts';
import { needsRoot } from './root.ts';

const log = pino({ level: 'silent' });

describe('a line of ip monitor', () => {
  it('reports a device', () => {
    expect(
      parseMonitorLine(
        '12: vz1@vz2: <BROADCAST,MULTICAST,UP,M-DOWN> mtu 1500 qdisc noop master brqz state DOWN group default \\    link/ether 62:53:23:b2:71:b6 brd ff:ff:ff:ff:ff:ff',
      ),
    ).toEqual({
      deleted: false,
      link: { name: 'vz1', index: 12, mac: '62:53:23:b2:71:b6', mtu: 1500, up: true, master: 'brqz' },
    });
    expect(
      parseMonitorLine(
        'Deleted 11: vz2@NONE: <BROADCAST> mtu 1500 qdisc noop state DOWN group default \\    link/ether fa:f7:7d:98:9c:85 brd ff:ff:ff:ff:ff:ff',
      )?.deleted,
    ).toBe(true);
  });

  it('is ignored if a bridge reports its port', () => {
    expect(
      parseMonitorLine(
        'Deleted 12: vz1@vz2: <BROADCAST,UP> mtu 1500 master brqz state UP \\    link/ether 62:53:23:b2:71:b6',
      ),
    ).toBeUndefined();
    expect(parseMonitorLine('')).toBeUndefined();
  });
});

describe.skipIf(needsRoot)('link monitor (needs root)', () => {
  let namespace: string;
  let monitor: LinkMonitor | undefined;
  let events: LinkEvent[];
  const told = () => events.map((event) => `${event.kind} ${event.link.name}`);
  const eventually = (check: () => void) => vi.waitFor(check, { timeout: 20_000, interval: 5 });

  beforeEach(async () => {
    namespace = `t-mon-${randomBytes(3).toString('hex')}`;
    events = [];
    await ensureNamespace(namespace);
    await ipBatch([['link', 'add', 'br0', 'type', 'bridge']], { namespace });
    monitor = await startLinkMonitor({ namespace, log, onEvent: (event) => events.push(event) });
  });
  afterEach(async () => {
    await monitor?.close();
    await deleteNamespace(namespace);
  });

  it('first reports existing devices', () => {
    expect(told()).toContain('added lo');
    expect(told()).toContain('added br0');
    expect(monitor?.links().get('lo')).toMatchObject({ index: 1, up: true });
  });

  it('reports devices that appear, are plugged, unplugged, renamed, and vanish', async () => {
    events = [];
    await ipBatch([['link', 'add', 'v0', 'mtu', '1400', 'type', 'veth', 'peer', 'name', 'v1']], { namespace });
    await eventually(() => expect(told()).toEqual(expect.arrayContaining(['added v0', 'added v1'])));
    expect(monitor?.links().get('v0')).toMatchObject({ mtu: 1400, up: false });
    await ipBatch([['link', 'set', 'v0', 'master', 'br0']], { namespace });
    await eventually(() => expect(monitor?.links().get('v0')).toMatchObject({ master: 'br0' }));
    await ipBatch([['link', 'set', 'v0', 'nomaster']], { namespace });
    await eventually(() => expect(monitor?.links().get('v0')?.master).toBeUndefined());
    expect(told()).not.toContain('removed v0');
    await ipBatch([['link', 'set', 'v0', 'name', 'w0']], { namespace });
    await eventually(() => expect(told()).toEqual(expect.arrayContaining(['removed v0', 'added w0'])));
    await ipBatch([['link', 'del', 'w0']], { namespace });
    await eventually(() => expect(told()).toEqual(expect.arrayContaining(['removed w0', 'removed v1'])));
    expect([...(monitor?.links().keys() ?? [])].sort()).toEqual(['br0', 'lo']);
  });

  it('logs the death of ip monitor when it starts it again, and not at all when Ctrl-C ends both', async () => {
    await monitor?.close();
    const lines: string[] = [];
    const heard = pino({}, { write: (line: string) => void lines.push(line) });
    monitor = await startLinkMonitor({ namespace, log: heard, onEvent: () => undefined });
    const first = await monitorChild();
    process.kill(first, 'SIGINT');
    await eventually(() => expect(lines.join()).toContain('ip monitor link ended; starting it again'));
    // Until it knows a new device it is still starting, and its death is a failed start.
    await ipBatch([['link', 'add', 'br9', 'type', 'bridge']], { namespace });
    await eventually(() => expect(monitor?.links().has('br9')).toBe(true));
    await ipBatch([['link', 'del', 'br9']], { namespace });
    const second = await monitorChild();
    lines.length = 0;
    process.kill(second, 'SIGINT');
    await vi.waitFor(() => expect(readFile(`/proc/${second}/cmdline`, 'utf8')).rejects.toThrow('ENOENT'), 20_000);
    await monitor.close();
    expect(lines).toEqual([]);
  });

  it('restarts ip monitor when it dies, and reports missed changes', async () => {
    const child = await monitorChild();
    await ipBatch([['link', 'add', 'before', 'type', 'bridge']], { namespace });
    await eventually(() => expect(told()).toContain('added before'));
    process.kill(child, 'SIGKILL');
    await ipBatch(
      [
        ['link', 'del', 'before'],
        ['link', 'add', 'after', 'type', 'bridge'],
      ],
      { namespace },
    );
    await eventually(() => expect(told()).toEqual(expect.arrayContaining(['removed before', 'added after'])));
    await ipBatch([['link', 'add', 'later', 'type', 'bridge']], { namespace });
    await eventually(() => expect(told()).toContain('added later'));
  });

  it('continues if a listener throws', async () => {
    await monitor?.close();
    let calls = 0;
    monitor = await startLinkMonitor({
      namespace,
      log,
      onEvent: () => {
        calls += 1;
        throw new Error('listener');
      },
    });
    const before = calls;
    await ipBatch([['link', 'add', 'more', 'type', 'bridge']], { namespace });
    await eventually(() => expect(calls).toBeGreaterThan(before));
  });

  it('leaves no process behind', async () => {
    const child = await monitorChild();
    await monitor?.close();
    await expect(readFile(`/proc/${child}/cmdline`, 'utf8')).rejects.toThrow('ENOENT');
  });

  async function monitorChild(): Promise<number> {
    for (const entry of await readdir('/proc')) {
      if (!/^\d+$/.test(entry)) continue;
      const command = await readFile(`/proc/${entry}/cmdline`, 'utf8').catch(() => '');
      if (command.includes('monitor') && command.includes(namespace)) return Number(entry);
    }
    throw new Error('no ip monitor runs');
  }

  it('names a missing namespace', async () => {
    await expect(startLinkMonitor({ namespace: `${namespace}-none`, log, onEvent: () => undefined })).rejects.toThrow();
  });
});
