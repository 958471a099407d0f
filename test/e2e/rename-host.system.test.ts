import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listLinks } from '../../src/linux/links.ts';
import { dhcpDeviceId } from '../../src/rpc/dhcp-device-id.ts';
import { NeutrinoProcess as Command, neutrino as runCommand } from '../cli/neutrino-process.ts';
import { startPortGuest } from '../lab/port-guest.ts';
import { type NeutrinoProcess, startNeutrinoProcess } from './neutrino-process.ts';

const LEASE_MS = 20_000;

describe.skipIf(process.getuid?.() !== 0)('a state path that is started for another host (needs root)', () => {
  let neutrino: NeutrinoProcess;
  beforeAll(async () => {
    neutrino = await startNeutrinoProcess();
  });
  afterAll(async () => {
    await Command.killAll();
    await neutrino?.dispose();
  });

  test('is refused, naming both; with --rename-host agents and ports move, and DHCP has no gap', async () => {
    const renamed = `${neutrino.host}-renamed`;
    const network = await neutrino.network('10.111.0.0/24');
    const port = await neutrino.port(network);
    const guest = await startPortGuest([port]);
    try {
      const { address } = await guest.lease('eth0', LEASE_MS);
      const pid = await neutrino.dnsmasq(network);
      await neutrino.stop();

      const place = ['--state-path', neutrino.statePath, '--bind-port', new URL(neutrino.url).port];
      const refused = await runCommand('up', ...place, '--host', renamed);
      expect(refused).toMatchObject({ code: 1, stdout: '' });
      expect(refused.stderr).toContain(`belongs to host ${neutrino.host}, and this start is for host ${renamed}`);
      expect(refused.stderr).toContain('--rename-host');
      expect(await neutrino.dnsmasq(network)).toBe(pid);
      expect((await guest.renew('eth0', LEASE_MS)).address).toBe(address);

      const up = Command.start('up', ...place, '--host', renamed, '--rename-host');
      await up.printed(/Ctrl-C stops/);
      expect((await guest.renew('eth0', LEASE_MS)).address).toBe(address);
      const { agents } = (await neutrino.request('GET', '/v2.0/agents')).body;
      expect(agents).toMatchObject([
        { host: renamed, alive: true },
        { host: renamed, alive: true },
      ]);
      const { ports } = (await neutrino.request('GET', `/v2.0/ports?network_id=${network}`)).body;
      const owned = (
        ports as { id: string; device_owner: string; device_id: string; 'binding:host_id': string }[]
      ).sort((a, b) => a.device_owner.localeCompare(b.device_owner));
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
    } finally {
      await guest.stop();
    }
  });
});
