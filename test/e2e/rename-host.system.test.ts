import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listLinks } from '../../src/linux/links.ts';
import { dhcpDeviceId } from '../../src/net/dhcp-device-id.ts';
import { startPortGuest } from '../support/hosts/port-guest.ts';
import { NeutrinoProcess, neutrino as runCommand } from '../support/neutrino.ts';
import { startUp, type Up } from './up.ts';

const LEASE_MS = 20_000;

describe.skipIf(process.getuid?.() !== 0)('a state path that is started for another host (needs root)', () => {
  let neutrino: Up;
  beforeAll(async () => {
    neutrino = await startUp();
  });
  afterAll(async () => {
    await NeutrinoProcess.killAll();
    await neutrino?.dispose();
  });

  test('is rejected with both names; with --rename-host, agents and ports move, and DHCP is not interrupted', async () => {
    const renamed = `${neutrino.host}-renamed`;
    const network = await neutrino.api.network('10.111.0.0/24');
    const port = await neutrino.port(network);
    const guest = await startPortGuest([port]);
    try {
      const { address } = await guest.lease('eth0', LEASE_MS);
      const pid = await neutrino.dnsmasq(network);
      await neutrino.process.stop();

      const place = ['--state-path', neutrino.statePath, '--bind-port', new URL(neutrino.api.url).port];
      const refused = await runCommand('up', ...place, '--host', renamed);
      expect(refused).toMatchObject({ code: 1, stdout: '' });
      expect(refused.stderr).toContain(`belongs to host ${neutrino.host}, and this start is for host ${renamed}`);
      expect(refused.stderr).toContain('--rename-host');
      expect(await neutrino.dnsmasq(network)).toBe(pid);
      expect((await guest.renew('eth0', LEASE_MS)).address).toBe(address);

      const up = NeutrinoProcess.start('up', ...place, '--host', renamed, '--rename-host');
      await up.printed(/Ctrl-C stops/);
      expect((await guest.renew('eth0', LEASE_MS)).address).toBe(address);
      const agents = await neutrino.api.agents();
      expect(agents).toMatchObject([
        { host: renamed, alive: true },
        { host: renamed, alive: true },
        { host: renamed, alive: true },
      ]);
      const ports = await neutrino.api.ports(`network_id=${network}`);
      const owned = ports.toSorted((a, b) => a.device_owner.localeCompare(b.device_owner));
      expect(owned).toMatchObject([
        { id: port.id, 'binding:host_id': renamed },
        { device_id: dhcpDeviceId(renamed, network), 'binding:host_id': renamed },
      ]);

      // A port that is created now is answered by the same dnsmasq.
      const second = await neutrino.port(network, { 'binding:host_id': renamed });
      const other = await startPortGuest([second]);
      try {
        expect((await other.lease('eth0', LEASE_MS)).address).toBe(second.fixed_ips[0]?.ip_address);
      } finally {
        await other.stop();
      }
      expect(await neutrino.dnsmasq(network)).toBe(pid);
      expect((await guest.renew('eth0', LEASE_MS)).address).toBe(address);
      const tap = (await listLinks()).find(({ name }) => name === `tap${owned[1]?.id.slice(0, 11)}`);
      expect(tap?.alias).toMatch(/^neutrino-dhcp:/);
      expect(up.stderr).not.toContain('dnsmasq started');
      expect(await up.end('SIGTERM')).toBe(0);

      const again = await runCommand('up', ...place, '--host', neutrino.host);
      expect(again.stderr).toContain(`belongs to host ${renamed}, and this start is for host ${neutrino.host}`);
      // Earlier versions did not record the host: its agents in the database show it.
      rmSync(join(neutrino.statePath, 'host'));
      const unrecorded = await runCommand('up', ...place, '--host', neutrino.host);
      expect(unrecorded).toMatchObject({ code: 1, stdout: '' });
      expect(unrecorded.stderr).toContain(`belongs to host ${renamed}, and this start is for host ${neutrino.host}`);
    } finally {
      await guest.stop();
    }
  });
});
