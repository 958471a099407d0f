import { randomUUID } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ensureProgram } from '../../../src/lab/debian.ts';
import { CACHE_FOLDER } from '../../../src/lab/guests.ts';
import { bootParts } from '../../../src/lab/qemu/kernel.ts';
import { isStaticProgram } from '../../../src/lab/qemu/static-program.ts';
import { virtualMachine } from '../../../src/lab/qemu/virtual-machine.ts';
import { run } from '../../../src/linux/run.ts';
import { linkExists, setMaster } from '../../linux/devices.ts';
import { type DnsmasqWorld, startDnsmasqWorld } from '../dnsmasq-world.ts';

const silent = () => undefined;

describe.skipIf(process.getuid?.() !== 0)('a virtual machine (needs root)', () => {
  let world: DnsmasqWorld;
  let missing: string | undefined;

  beforeAll(async () => {
    try {
      await ensureProgram('qemu-system-x86_64', 'qemu-system-x86', silent);
      await bootParts(CACHE_FOLDER, silent);
    } catch (error) {
      missing = String(error);
    }
    world = await startDnsmasqWorld([
      '--dhcp-option=tag:s,option:mtu,1420',
      '--dhcp-option=tag:s,option:router,10.64.0.1',
    ]);
  }, 900_000);
  afterAll(() => world?.stop());

  test('boots, gets the address of each NIC, responds, renews, and stops', { timeout: 240_000 }, async ({ skip }) => {
    skip(missing !== undefined, `no QEMU or no kernel here: ${missing}`);
    const id = randomUUID();
    const folder = join(world.folder, id);
    await mkdir(folder);
    const nics = ['fa:16:3e:0a:0b:01', 'fa:16:3e:0a:0b:02'].map((mac, i) => ({
      name: `eth${i}`,
      mac,
      device: `t-${i}-${id.slice(0, 8)}`,
    }));
    await world.setHosts([`${nics[0]?.mac},first,10.64.0.71`, `${nics[1]?.mac},second,10.64.0.72`]);
    const spec = { id, name: 'a "real", machine', folder, nics };
    const machine = virtualMachine(spec, CACHE_FOLDER);
    try {
      await machine.plug();
      for (const { device } of nics) await setMaster(device, world.bridge);
      await machine.start();
      expect(await machine.lease('eth0', 120_000)).toMatchObject({
        event: 'bound',
        address: '10.64.0.71',
        hostname: 'first',
        mtu: 1420,
        routers: ['10.64.0.1'],
        leaseSeconds: 600,
      });
      expect(await machine.lease('eth1', 60_000)).toMatchObject({ address: '10.64.0.72', hostname: 'second' });
      await run(['ip', 'netns', 'exec', world.namespace, 'ping', '-c1', '-W10', '10.64.0.71']);
      expect(await machine.renew('eth0', 60_000)).toMatchObject({ event: 'renew', address: '10.64.0.71' });
      expect(await readFile(join(folder, 'console.log'), 'latin1')).toContain('NEUTRINO-READY');

      // Another process can find and stop it, given only the spec.
      const again = virtualMachine(spec, CACHE_FOLDER);
      expect(await again.running()).toBe(true);
      await again.stop();
      expect(await machine.running()).toBe(false);
      expect(await linkExists(nics[0]?.device ?? '')).toBe(false);
      await expect(machine.lease('eth9', 100)).rejects.toThrow('has no NIC eth9');
    } finally {
      await machine.stop();
    }
  });

  test('a machine that cannot start reports why', { timeout: 60_000 }, async ({ skip }) => {
    skip(missing !== undefined, `no QEMU or no kernel here: ${missing}`);
    const id = randomUUID();
    const folder = join(world.folder, id);
    await mkdir(folder);
    const nics = [{ name: 'eth0', mac: 'not a mac', device: `t-x-${id.slice(0, 8)}` }];
    const machine = virtualMachine({ id, name: 'broken', folder, nics }, CACHE_FOLDER);
    try {
      await machine.plug();
      await machine.start();
      await expect(machine.lease('eth0', 30_000)).rejects.toThrow(/broken: the machine ended by itself; .*not a mac/);
    } finally {
      await machine.stop();
    }
  });
});

test('a program with an interpreter is not static', async () => {
  expect(isStaticProgram(await readFile('/bin/ls'))).toBe(false);
  expect(isStaticProgram(Buffer.from('#!/bin/sh\n'))).toBe(false);
});
