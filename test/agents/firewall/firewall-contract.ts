import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Firewall } from '../../../src/agents/firewall/contract.ts';
import type { FirewallKind } from '../../../src/agents/firewall/drivers/kind.ts';
import type { FilteredPort, RemoteGroup, SecurityGroup } from '../../../src/agents/firewall/groups.ts';

/** What every firewall must do, whatever it filters. `namespace`: returns the host that it acts on. */
export function firewallContract(kind: FirewallKind, namespace?: () => string): void {
  describe(`the firewall ${kind.name}`, () => {
    let firewall: Firewall;
    const open = () =>
      kind.create({
        where: namespace === undefined ? {} : { namespace: namespace() },
        log: pino({ level: 'silent' }),
      });
    const group = (rules: SecurityGroup['rules'] = []): SecurityGroup => ({ id: randomUUID(), rules });
    const port = (groups: readonly SecurityGroup[] | undefined): FilteredPort => ({
      device: `tap${randomUUID().slice(0, 11)}`,
      bridge: `brq${randomUUID().slice(0, 11)}`,
      mac_address: 'fa:16:3e:00:00:01',
      fixed_ips: ['10.0.0.5', 'fd00::5'],
      allowed_address_pairs: [
        { mac_address: 'fa:16:3e:00:00:02', ip_address: '10.9.0.0/16' },
        { mac_address: 'fa:16:3e:00:00:02', ip_address: '10.9.1.0/24' },
      ],
      security_groups: groups?.map(({ id }) => id),
    });
    const remote: RemoteGroup = { id: randomUUID(), members: ['10.0.0.5', 'fd00::5', '192.0.2.0/24'] };
    const web = group([
      {
        direction: 'ingress',
        ethertype: 'IPv4',
        protocol: 'tcp',
        port_range_min: 80,
        port_range_max: 80,
        source_ip_prefix: '10.0.0.0/24',
      },
      { direction: 'ingress', ethertype: 'IPv6', remote_group_id: remote.id },
    ]);

    beforeEach(() => {
      firewall = open();
    });
    afterEach(() => firewall.close());

    it('holds ports with groups, without groups and without a filter, again and again', async () => {
      const change = { ports: [port([web]), port([]), port(undefined)], groups: [web], remotes: [remote] };
      for (let i = 0; i < 2; i += 1) expect(await firewall.hold(change)).toEqual(new Map());
      expect(await firewall.check()).toBe(false);
      await firewall.remove(change.ports.map(({ device }) => device));
    });

    it('holds nothing when there is nothing', async () => {
      expect(await firewall.hold({})).toEqual(new Map());
    });

    it('accepts changes of groups and members that ports have, and of others', async () => {
      const one = port([web]);
      await firewall.hold({ ports: [one], groups: [web], remotes: [remote] });
      const members = { ...remote, members: ['10.0.0.6', 'fd00::6'] };
      expect(await firewall.hold({ groups: [{ ...web, rules: [] }, group()], remotes: [members] })).toEqual(new Map());
      await firewall.remove([one.device]);
      expect(await firewall.check()).toBe(false);
    });

    it('adopts filters of an earlier process, and removes them; twice is no error', async () => {
      const one = port([web]);
      const change = { ports: [one], groups: [web], remotes: [remote] };
      await firewall.hold(change);
      await firewall.close();
      firewall = open();
      expect(await firewall.hold(change)).toEqual(new Map());
      expect(await firewall.check()).toBe(false);
      await firewall.remove([one.device]);
      await firewall.remove([one.device, 'tap00000000-00']);
    });
  });
}
