import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Firewall } from '../../../src/agents/firewall/contract.ts';
import type { FirewallKind } from '../../../src/agents/firewall/drivers/kind.ts';
import { NOOP } from '../../../src/agents/firewall/drivers/noop/kind.ts';
import type { FilterChange } from '../../../src/agents/firewall/groups.ts';
import { bridgeName } from '../../../src/net/device-names.ts';
import { waitFor } from '../../../src/time/wait.ts';
import { needsRoot } from '../../linux/root.ts';
import { L2World } from './world.ts';

describe.skipIf(needsRoot)('the L2 agent and its firewall (needs root)', () => {
  let world: L2World;
  /** Calls of the firewall in order, with the bridge that the device was in then. */
  let calls: string[];
  let refused: Map<string, Error>;
  const firewall: FirewallKind = {
    ...NOOP,
    create(parts): Firewall {
      const note = async (call: string, devices: readonly string[]) => {
        for (const device of devices) calls.push(`${call} ${device} in ${(await world.link(device))?.master}`);
      };
      return {
        ...NOOP.create(parts),
        async hold({ ports = [] }) {
          await note(
            'hold',
            ports.map(({ device }) => device),
          );
          return refused;
        },
        remove: (devices) => note('remove', devices),
      };
    },
  };

  beforeEach(async () => {
    calls = [];
    refused = new Map();
    world = await L2World.create();
    await world.startAgent({}, { firewall });
  });
  afterEach(async () => {
    await world.close();
  });

  const plugged = async () => {
    const port = world.server.port();
    await world.addDevice(port.device);
    await world.server.hears(`update_device_up ${port.device}`);
    return port;
  };
  const called = async (call: string) => {
    await waitFor(`${call} (${calls.join(', ')})`, () => calls.includes(call), 20_000);
  };

  test('a device is filtered before it is wired', async () => {
    const { device } = await plugged();
    expect(calls).toEqual([`hold ${device} in undefined`]);
  });

  test('a filter is removed after its device is cut off, because its port is deleted', async () => {
    const { device, portId } = await plugged();
    await world.server.portDelete(portId);
    await called(`remove ${device} in undefined`);
  });

  test('a filter is removed when its device vanishes', async () => {
    const { device } = await plugged();
    await world.ip(`link delete dev ${device}`);
    await called(`remove ${device} in undefined`);
  });

  test('a device whose filter does not hold is not wired, and others are', async () => {
    const { device } = world.server.port();
    refused.set(device, new Error('too many rules'));
    await world.addDevice(device);
    const { device: other, networkId } = await plugged();
    await world.logs(/a device cannot be wired: too many rules/);
    expect((await world.link(device))?.master).toBeUndefined();
    expect((await world.link(other))?.master).toBe(bridgeName(networkId));
    expect(world.server.count(`update_device_up ${device}`)).toBe(0);
  });

  test('a wired device whose new filter does not hold is cut off and reported down', async () => {
    const { device, portId } = await plugged();
    refused.set(device, new Error('too many rules'));
    await world.server.portUpdate(portId, 'ACTIVE');
    await world.server.hears(`update_device_down ${device}`);
    expect((await world.link(device))?.master).toBeUndefined();
  });
});

describe.skipIf(needsRoot)('a firewall that filters by groups (needs root)', () => {
  let world: L2World;
  let changes: FilterChange[];
  const firewall: FirewallKind = {
    ...NOOP,
    create: (parts): Firewall => ({
      ...NOOP.create(parts),
      filters: true,
      async hold(change) {
        changes.push(change);
        return new Map();
      },
    }),
  };
  beforeEach(async () => {
    changes = [];
    world = await L2World.create();
    await world.startAgent({}, { firewall });
  });
  afterEach(() => world.close());

  const plugged = async () => {
    const port = world.server.port();
    await world.addDevice(port.device);
    await world.server.hears(`update_device_up ${port.device}`);
    return port;
  };
  const changed = (count: number) => waitFor(`${count} changes`, () => changes.length >= count, 20_000);

  test('gets the groups of a port, their rules, and the members that they name', async () => {
    const { device, networkId } = await plugged();
    const { id, remote } = world.server.group;
    expect(changes).toHaveLength(1);
    expect(changes[0]).toMatchObject({
      ports: [
        { device, bridge: bridgeName(networkId), security_groups: [id], fixed_ips: ['10.0.0.5'], stateful: true },
      ],
      groups: [{ id, rules: [{ protocol: 'tcp', port_range_min: 1, remote_group_id: remote }] }],
      remotes: [{ id: remote, members: ['10.0.0.5'] }],
    });
  });

  test('gets changed rules and members of groups that it has, and of no others', async () => {
    const { device } = await plugged();
    const { group } = world.server;
    await world.server.groupsUpdated('security_groups_member_updated', [group.id, 'of-nobody']);
    await world.server.groupsUpdated('security_groups_rule_updated', [group.remote]);
    group.rules = 2;
    await world.server.groupsUpdated('security_groups_rule_updated', [group.id]);
    await changed(2);
    expect(changes[1]).toMatchObject({ groups: [{ id: group.id, rules: [{}, { port_range_min: 2 }] }] });
    expect(changes[1]?.ports).toBeUndefined();
    group.members = ['10.0.0.6'];
    await world.server.groupsUpdated('security_groups_member_updated', [group.remote]);
    await changed(3);
    expect(changes[2]?.remotes).toEqual([{ id: group.remote, members: ['10.0.0.6'] }]);
    expect(world.server.count(`security_group_info_for_devices ${device}`)).toBe(3);
  });

  test('gets them once the server answers again', async () => {
    await plugged();
    world.server.failOnce = { method: 'security_group_info_for_devices', error: new Error('away') };
    world.server.group.rules = 3;
    await world.server.groupsUpdated('security_groups_rule_updated', [world.server.group.id]);
    await changed(2);
    expect(changes[1]?.groups?.[0]?.rules).toHaveLength(3);
  });

  test('a device is not wired before the server has said how it is filtered', async () => {
    world.server.failOnce = { method: 'security_group_info_for_devices', error: new Error('away') };
    const { device } = world.server.port();
    await world.addDevice(device);
    await world.server.hears(`security_group_info_for_devices ${device}`);
    expect(world.server.count(`update_device_up ${device}`)).toBe(0);
    await world.server.hears(`update_device_up ${device}`);
    expect(changes).toHaveLength(1);
  });
});
