import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { namespaceExists } from '../../../src/linux/namespaces.ts';
import { startTestHost, type TestHost } from './test-host.ts';
import { makeUnderlay, type Underlay } from './underlay.ts';

describe.skipIf(process.getuid?.() !== 0)('test hosts (need root)', () => {
  let underlay: Underlay;
  let hosts: readonly TestHost[];
  beforeAll(async () => {
    underlay = await makeUnderlay();
    hosts = await Promise.all([startTestHost('one', underlay), startTestHost('two', underlay)]);
  });
  afterAll(async () => {
    for (const host of hosts ?? []) await host.dispose();
    await underlay?.dispose();
  });

  test('reach each other and this machine, and each has its own namespaces, devices and processes', async () => {
    const [one, two] = hosts;
    if (!one || !two) throw new Error('two hosts');
    await one.run('ping', '-c', '1', '-W', '5', two.address);
    await one.run('ping', '-c', '1', '-W', '5', underlay.address);
    for (const host of hosts) {
      await host.run('ip', 'netns', 'add', 'qdhcp-neutrino-test-host');
      expect((await host.run('ip', 'netns', 'list')).trim()).toMatch(/^qdhcp-neutrino-test-host/);
      expect((await host.run('ls', '/sys/class/net')).split('\n')).toContain('eth0');
    }
    expect(await namespaceExists('qdhcp-neutrino-test-host')).toBe(false);
    expect((await one.run('sh', '-c', 'ls /proc | grep -c "^[0-9]"')).length).toBeLessThan(3);
  });

  test('processes on them receive signals and report their end', async () => {
    const [one] = hosts;
    const sleeper = await one?.start({
      command: ['sleep', '1000'],
      stdout: '/dev/null',
      stderr: '/dev/null',
      env: process.env as Record<string, string>,
    });
    await sleeper?.signal('SIGTERM');
    expect(await sleeper?.ended(5_000)).toBe('SIGTERM');
  });
});
