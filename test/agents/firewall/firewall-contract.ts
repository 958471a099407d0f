import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Firewall } from '../../../src/agents/firewall/contract.ts';
import type { FirewallKind } from '../../../src/agents/firewall/drivers/kind.ts';
import type { FilteredPort, SecurityGroup } from '../../../src/agents/firewall/groups.ts';

/** What every firewall must do, whatever it filters. `namespace`: the host that it acts on. */
export function firewallContract(kind: FirewallKind, namespace?: string): void {
  describe(`the firewall ${kind.name}`, () => {
    let firewall: Firewall;
    const open = () =>
      kind.create({ where: namespace === undefined ? {} : { namespace }, log: pino({ level: 'silent' }) });
    const group = (more: Partial<SecurityGroup> = {}): SecurityGroup => ({
      id: randomUUID(),
      stateful: true,
      rules: [],
      members: [],
      ...more,
    });
    const port = (groups: readonly SecurityGroup[], more: Partial<FilteredPort> = {}): FilteredPort => {
      const portId = randomUUID();
      return {
        device: `tap${portId.slice(0, 11)}`,
        port_id: portId,
        network_id: randomUUID(),
        mac_address: 'fa:16:3e:00:00:01',
        fixed_ips: [{ subnet_id: randomUUID(), ip_address: '10.0.0.5' }],
        allowed_address_pairs: [],
        port_security_enabled: true,
        device_owner: 'compute:nova',
        security_groups: groups.map(({ id }) => id),
        ...more,
      };
    };
    const web = group({
      rules: [
        {
          direction: 'ingress',
          ethertype: 'IPv4',
          protocol: 'tcp',
          port_range_min: 80,
          port_range_max: 80,
          remote_ip_prefix: '10.0.0.0/24',
          remote_group_id: null,
        },
      ],
      members: ['10.0.0.5'],
    });

    beforeEach(() => {
      firewall = open();
    });
    afterEach(() => firewall.close());

    it('holds ports with groups, without groups and without port security, again and again', async () => {
      const ports = [port([web]), port([]), port([], { port_security_enabled: false })];
      expect(await firewall.hold(ports, [web])).toEqual(new Map());
      expect(await firewall.hold(ports, [web])).toEqual(new Map());
      await firewall.remove(ports.map(({ device }) => device));
    });

    it('holds nothing when there are no ports', async () => {
      expect(await firewall.hold([], [])).toEqual(new Map());
    });

    it('accepts changes of groups that ports have, and of others', async () => {
      const one = port([web]);
      await firewall.hold([one], [web]);
      await firewall.groupChanged({ ...web, rules: [], members: ['10.0.0.5', '10.0.0.6', 'fd00::5'] });
      await firewall.groupChanged(group());
      await firewall.remove([one.device]);
    });

    it('removes filters, also those of an earlier process, and twice is no error', async () => {
      const one = port([web]);
      await firewall.hold([one], [web]);
      await firewall.close();
      firewall = open();
      await firewall.remove([one.device]);
      await firewall.remove([one.device, 'tap00000000-00']);
    });
  });
}
