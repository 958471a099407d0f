import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { waitFor } from '../../src/time/wait.ts';
import { startPortGuest } from '../support/hosts/port-guest.ts';
import { startUp, type Up } from './up.ts';

const LEASE_MS = 20_000;

const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

describe.skipIf(process.getuid?.() !== 0)('Neutrino, killed and restarted (needs root)', () => {
  let neutrino: Up;
  beforeAll(async () => {
    neutrino = await startUp();
  });
  afterAll(() => neutrino?.dispose());

  const newDnsmasq = (network: string, than: number | undefined) =>
    waitFor(
      'a dnsmasq that lives',
      async () => {
        const pid = await neutrino.dnsmasq(network);
        return pid !== undefined && pid !== than && alive(pid) ? pid : undefined;
      },
      { timeoutMs: LEASE_MS },
    );

  test('a restart does not affect dnsmasq: the same process gets no signal, and the machine renews meanwhile', async () => {
    const network = await neutrino.api.network('10.101.0.0/24');
    const port = await neutrino.port(network);
    const guest = await startPortGuest([port]);
    try {
      const { address } = await guest.lease('eth0', LEASE_MS);
      const pid = await newDnsmasq(network, undefined);
      const reads = async () =>
        (await neutrino.file(network, 'log')).split('\n').filter((l) => l.includes(' read ')).length;
      const before = await reads();
      await neutrino.process.stop();
      expect(alive(pid)).toBe(true);
      expect((await guest.renew('eth0', LEASE_MS)).address).toBe(address);
      await neutrino.start();
      const other = await neutrino.api.network('10.102.0.0/24');
      await neutrino.port(other);
      await newDnsmasq(other, undefined);
      expect(await neutrino.dnsmasq(network)).toBe(pid);
      expect(await reads()).toBe(before);
      expect((await guest.renew('eth0', LEASE_MS)).address).toBe(address);
    } finally {
      await guest.stop();
    }
  });

  test('a killed dnsmasq is restarted, and the machine keeps its lease', async () => {
    const network = await neutrino.api.network('10.103.0.0/24');
    const port = await neutrino.port(network);
    const guest = await startPortGuest([port]);
    try {
      const { address } = await guest.lease('eth0', LEASE_MS);
      const pid = await newDnsmasq(network, undefined);
      process.kill(pid, 'SIGKILL');
      await newDnsmasq(network, pid);
      expect((await guest.renew('eth0', LEASE_MS)).address).toBe(address);
    } finally {
      await guest.stop();
    }
  });

  test('kill -9 at random times while ports are created: every committed port is served, and no lease is lost', {
    timeout: 240_000,
  }, async () => {
    const network = await neutrino.api.network('10.104.0.0/22');
    const first = await neutrino.port(network);
    const guest = await startPortGuest([first]);
    try {
      const { address } = await guest.lease('eth0', LEASE_MS);
      const committed = new Map<string, string>([[first.mac_address, first.fixed_ips[0]?.ip_address ?? '']]);
      for (let round = 0; round < 6; round++) {
        let killed = false;
        const makers = Array.from({ length: 4 }, async () => {
          while (!killed) {
            const port = await neutrino.port(network).catch(() => undefined);
            if (port) committed.set(port.mac_address, port.fixed_ips[0]?.ip_address ?? '');
          }
        });
        // The time differs between rounds, measured in created ports.
        const until = committed.size + 1 + Math.floor(Math.random() * 25);
        await waitFor(`${until} ports`, async () => committed.size >= until || undefined, {
          timeoutMs: 30_000,
          intervalMs: 1,
        });
        await neutrino.process.kill();
        killed = true;
        await Promise.all(makers);
        await neutrino.start();
      }
      const rows = await neutrino.api.ports(`network_id=${network}&device_owner=compute:nova`);
      const kept = new Map(rows.map((p) => [p.mac_address, p.fixed_ips[0]?.ip_address]));
      for (const [mac, ip] of committed) expect(kept.get(mac)).toBe(ip);
      expect(new Set(kept.values()).size).toBe(kept.size);
      await waitFor(
        'every port in the host file',
        async () => {
          const host = await neutrino.file(network, 'host').catch(() => '');
          return (
            rows.every((p) => host.includes(`${p.mac_address},`) && host.includes(`,${p.fixed_ips[0]?.ip_address}`)) ||
            undefined
          );
        },
        { timeoutMs: 30_000 },
      );
      expect((await guest.renew('eth0', LEASE_MS)).address).toBe(address);
      const late = rows.find((p) => p.mac_address !== first.mac_address);
      expect(late).toBeDefined();
    } finally {
      await guest.stop();
    }
  });
});
