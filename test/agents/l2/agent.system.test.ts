import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { markOf } from '../../../src/agents/l2/drivers/linuxbridge/marks.ts';
import { listAddresses } from '../../../src/linux/addresses.ts';
import { type LinkEvent, startLinkMonitor } from '../../../src/linux/link-monitor.ts';
import { bridgeName, tapName } from '../../../src/net/device-names.ts';
import { waitFor } from '../../../src/time/wait.ts';
import { needsRoot } from '../../linux/root.ts';
import { L2World } from './world.ts';

describe.skipIf(needsRoot)('the L2 agent (needs root)', () => {
  let world: L2World;
  beforeEach(async () => {
    world = await L2World.create();
  });
  afterEach(async () => {
    await world.close();
  });

  /** A port whose device is on the host, plugged and reported. */
  const plugged = async (more = {}) => {
    const port = world.server.port(more);
    await world.addDevice(port.device);
    await world.server.hears(`update_device_up ${port.device}`);
    return { ...port, bridge: bridgeName(port.networkId) };
  };

  describe('a device that appears', () => {
    test('is plugged into the bridge of its network, with its MTU, and reported up', async () => {
      await world.startAgent();
      const { device, bridge } = await plugged({ mtu: 1400 });
      const links = await world.links();
      expect(links.get(device)).toMatchObject({ master: bridge, mtu: 1400 });
      expect(links.get(device)?.flags).toContain('UP');
      expect(links.get(bridge)).toMatchObject({ mtu: 1400 });
      expect(links.get(bridge)?.flags).toContain('UP');
    });

    test('gets a bridge that forwards at once and has no address', async () => {
      await world.startAgent();
      const { bridge, device, networkId } = await plugged();
      const link = await world.link(bridge);
      expect(link?.linkinfo).toMatchObject({
        info_kind: 'bridge',
        info_data: { forward_delay: 0, stp_state: 0, mcast_snooping: 0 },
      });
      expect(link?.ifalias).toBe(markOf(networkId, world.mark));
      expect(await listAddresses(bridge, world)).toEqual([]);
      expect(await listAddresses(device, world)).toEqual([]);
    });

    test('has no IPv6 address on its host end, even if it was up before', async () => {
      await world.startAgent();
      const { device } = world.server.port();
      await world.ip(
        `link add ${device} type veth peer name peer`,
        'link set dev peer up',
        `link set dev ${device} up`,
      );
      await world.server.hears(`update_device_up ${device}`);
      expect(await listAddresses(device, world)).toEqual([]);
    });

    test('joins a bridge that somebody else has made, and leaves it unmarked', async () => {
      const { device, networkId } = world.server.port();
      const bridge = bridgeName(networkId);
      await world.ip(`link add ${bridge} type bridge forward_delay 1500`);
      await world.startAgent();
      await world.addDevice(device);
      await world.server.hears(`update_device_up ${device}`);
      const link = await world.link(bridge);
      expect(link).toMatchObject({ mtu: 1450, linkinfo: { info_data: { forward_delay: 0 } } });
      expect(link?.ifalias).toBeUndefined();
      expect(link?.flags).toContain('UP');
    });

    test('was there before the agent', async () => {
      const { device } = world.server.port();
      await world.addDevice(device);
      await world.startAgent();
      await world.server.hears(`update_device_up ${device}`);
    });

    test('together with many others is asked about together', async () => {
      await world.startAgent();
      const networkId = randomUUID();
      const ports = Array.from({ length: 40 }, () => world.server.port({ network_id: networkId }));
      await world.ip(...ports.map(({ device }) => `link add ${device} type veth peer name p${device.slice(3)}`));
      for (const { device } of ports) await world.server.hears(`update_device_up ${device}`);
      const links = await world.links();
      for (const { device } of ports) expect(links.get(device)?.master).toBe(bridgeName(networkId));
      const asked = world.server.heard.filter((call) => call.startsWith('get_devices_details_list'));
      expect(asked.length).toBeLessThan(ports.length);
    });

    test('under another name is none of its business', async () => {
      await world.startAgent();
      await world.ip('link add tap0 type veth peer name tapother', 'link add eth7 type veth peer name eth8');
      await plugged();
      expect(world.server.heard.join(' ')).not.toMatch(/tap0\b|tapother|eth7/);
    });

    test('is asked about again when the server could not answer', async () => {
      world.server.failOnce = { method: 'get_devices_details_list', error: new Error('database away') };
      await world.startAgent();
      await plugged();
      expect(world.log.join('\n')).toContain('database away');
    });

    test('is reported again when the server could not hear it', async () => {
      world.server.failOnce = { method: 'update_device_up', error: new Error('database away') };
      await world.startAgent();
      const { device } = await plugged();
      await world.server.hears(`update_device_up ${device}`, 2);
    });
  });

  describe('a device that the server does not know', () => {
    test('is left alone, and plugged once its port is there', async () => {
      await world.startAgent();
      const { device, portId, networkId } = world.server.port();
      const details = world.server.devices.get(device);
      world.server.devices.delete(device);
      await world.addDevice(device);
      await world.server.hears(`get_devices_details_list ${device}`);
      const link = await world.link(device);
      expect(link?.master).toBeUndefined();
      expect(link?.flags).not.toContain('UP');
      if (details) world.server.devices.set(device, details);
      await world.server.portUpdate(portId);
      await world.server.hears(`update_device_up ${device}`);
      expect((await world.link(device))?.master).toBe(bridgeName(networkId));
    });

    test('is asked about again by itself', async () => {
      await world.startAgent();
      const { device } = world.server.port();
      const details = world.server.devices.get(device);
      world.server.devices.delete(device);
      await world.addDevice(device);
      await world.server.hears(`get_devices_details_list ${device}`);
      if (details) world.server.devices.set(device, details);
      await world.server.hears(`update_device_up ${device}`);
    });
  });

  describe('a device that is plugged', () => {
    test('is reported down when it vanishes', async () => {
      await world.startAgent();
      const { device } = await plugged();
      await world.ip(`link delete ${device}`);
      await world.server.hears(`update_device_down ${device}`);
    });

    test('is plugged again when it comes back', async () => {
      await world.startAgent();
      const { device, bridge } = await plugged();
      await world.ip(`link delete ${device}`, `link add ${device} type veth peer name p${device.slice(3)}`);
      await world.server.hears(`update_device_up ${device}`, 2);
      expect((await world.link(device))?.master).toBe(bridge);
      expect(world.server.heard.filter((call) => call.startsWith('update_device')).at(-1)).toBe(
        `update_device_up ${device}`,
      );
    });

    test('is cut off while its port is administratively down', async () => {
      await world.startAgent();
      const { device, portId, bridge } = await plugged();
      world.server.change(device, { admin_state_up: false });
      await world.server.portUpdate(portId, 'ACTIVE');
      await world.server.hears(`update_device_down ${device}`);
      const off = await world.link(device);
      expect(off?.master).toBeUndefined();
      expect(off?.flags).not.toContain('UP');
      world.server.change(device, { admin_state_up: true });
      await world.server.portUpdate(portId, 'DOWN');
      await world.server.hears(`update_device_up ${device}`, 2);
      expect((await world.link(device))?.master).toBe(bridge);
    });

    test('is cut off when its port is deleted, which the log says with the name of the port if it is known', async () => {
      await world.startAgent();
      const { device, portId, networkId } = await plugged();
      await world.server.portUpdate(portId, 'ACTIVE', 'vm1-nic');
      await world.server.hears(`get_devices_details_list ${device}`, 2);
      await world.server.portDelete(portId);
      await world.sees(device, (link) => link?.master === undefined && !link?.flags.includes('UP'));
      expect(world.log.map((line) => JSON.parse(line) as unknown)).toContainEqual(
        expect.objectContaining({
          device,
          port: portId,
          port_name: 'vm1-nic',
          network: networkId,
          msg: 'device unplugged: its port was deleted',
        }),
      );
    });

    test('is not reported again for a change of a port that is ACTIVE', async () => {
      await world.startAgent();
      const { device, portId } = await plugged();
      await world.server.portUpdate(portId, 'ACTIVE');
      await world.server.hears(`get_devices_details_list ${device}`, 2);
      await world.server.portUpdate(portId, 'DOWN');
      await world.server.hears(`update_device_up ${device}`, 2);
      expect(world.server.count(`update_device_up ${device}`)).toBe(2);
    });

    test('gets the new MTU of its network, and so does the bridge', async () => {
      await world.startAgent();
      const { device, networkId, bridge } = await plugged();
      world.server.change(device, { mtu: 1300 });
      await world.server.networkUpdate(networkId);
      await world.sees(device, (link) => link?.mtu === 1300);
      await world.sees(bridge, (link) => link?.mtu === 1300);
    });

    test('is plugged again when somebody takes its bridge away', async () => {
      await world.startAgent();
      const { device, bridge } = await plugged();
      await world.ip(`link delete ${bridge}`);
      await world.sees(device, (link) => link?.master === bridge);
    });
  });

  describe('a network that is deleted', () => {
    test('loses its bridge once the last device is gone', async () => {
      await world.startAgent();
      const { device, networkId, bridge } = await plugged();
      const other = world.server.port({ network_id: networkId });
      await world.addDevice(other.device);
      await world.server.hears(`update_device_up ${other.device}`);
      await world.ip(`link delete ${device}`);
      await world.server.networkDelete(networkId);
      // Whoever is reported up afterwards was wired after the deletion was heard.
      await plugged();
      expect(await world.link(bridge)).toBeDefined();
      await world.ip(`link delete ${other.device}`);
      await world.sees(bridge, (link) => link === undefined);
    });

    test('loses its bridge although the notification was lost, and devices are asked about once', async () => {
      await world.startAgent();
      const { device, networkId, bridge } = await plugged();
      const other = await plugged();
      await world.ip(`link delete ${device}`);
      await world.server.hears(`update_device_down ${device}`);
      world.server.networks.delete(networkId);
      const asked = world.server.count(`get_devices_details_list ${other.device}`);
      world.loseNotifications();
      await world.sees(bridge, (link) => link === undefined);
      await world.server.hears(`update_device_up ${other.device}`, 2);
      expect(world.server.count(`get_devices_details_list ${other.device}`)).toBe(asked + 1);
    });

    test('while the agent was away loses its bridge when it starts', async () => {
      const [gone, kept, foreign, another] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()];
      world.server.networks.add(kept);
      for (const id of [gone, kept, foreign, another]) {
        await world.ip(`link add ${bridgeName(id)} type bridge`);
        const mark = id === another ? 'a1b2c3d4' : world.mark;
        if (id !== foreign) await world.ip(`link set dev ${bridgeName(id)} alias ${markOf(id, mark)}`);
      }
      await world.startAgent();
      await world.sees(bridgeName(gone), (link) => link === undefined);
      await world.server.hears(`get_network_info ${kept}`);
      const links = await world.links();
      expect(links.has(bridgeName(kept))).toBe(true);
      expect(links.has(bridgeName(foreign))).toBe(true);
      // Made by another agent on this machine, whose server is not ours.
      expect(links.has(bridgeName(another))).toBe(true);
      expect(world.server.count(`get_network_info ${foreign}`)).toBe(0);
    });

    test('while the agent was away loses its bridge once the device goes that was in it when the agent started', async () => {
      const [gone, device] = [randomUUID(), tapName(randomUUID())];
      await world.ip(
        `link add ${bridgeName(gone)} type bridge`,
        `link set dev ${bridgeName(gone)} alias ${markOf(gone, world.mark)}`,
      );
      await world.addDevice(device);
      await world.ip(`link set dev ${device} master ${bridgeName(gone)}`);
      await world.startAgent();
      const { networkId } = await plugged();
      await world.server.hears(`get_devices_details_list ${device}`);
      expect(world.server.count(`get_network_info ${gone}`)).toBe(0);
      await world.ip(`link delete ${device}`);
      await world.sees(bridgeName(gone), (link) => link === undefined);
      // A network with a port is there: nobody need ask.
      expect(world.server.count(`get_network_info ${networkId}`)).toBe(0);
    });
  });

  test('that is started again interrupts nothing and reports what is plugged', async () => {
    const first = await world.startAgent();
    const { device, bridge } = await plugged();
    await first.close();
    const before = await world.links();
    const events: LinkEvent[] = [];
    const monitor = await startLinkMonitor({
      namespace: world.namespace,
      log: pino({ level: 'silent' }),
      onEvent: (event) => events.push(event),
    });
    const listed = events.length;
    await world.startAgent();
    await world.server.hears(`update_device_up ${device}`, 2);
    const after = await world.links();
    await monitor.close();
    expect(after.get(device)).toEqual(before.get(device));
    expect(after.get(bridge)?.ifindex).toBe(before.get(bridge)?.ifindex);
    expect(events.slice(listed)).toEqual([]);
  });

  test('leaves devices plugged when it is closed', async () => {
    const agent = await world.startAgent();
    const { device, bridge } = await plugged();
    await agent.close();
    expect((await world.link(device))?.master).toBe(bridge);
    expect(world.server.count(`update_device_down ${device}`)).toBe(0);
  });

  test('reports its state as a Neutron server expects it', async () => {
    await world.startAgent({ linux_bridge: { physical_interface_mappings: ['physnet1:eth1'] } });
    await waitFor('a report', () => world.server.states.length > 0, 20_000);
    expect(world.server.states[0]).toMatchObject({
      binary: 'neutron-linuxbridge-agent',
      host: world.namespace,
      topic: 'N/A',
      agent_type: 'Linux bridge agent',
      start_flag: true,
      configurations: {
        extensions: [],
        bridge_mappings: {},
        interface_mappings: { physnet1: 'eth1' },
        tunneling_ip: null,
        tunnel_types: ['vxlan'],
        l2_population: false,
        devices: 0,
      },
    });
  });

  test('refuses to start with a mapping that is none', async () => {
    await expect(
      world.startAgent({ linux_bridge: { physical_interface_mappings: ['physnet1:eth1', 'physnet1:eth2'] } }),
    ).rejects.toThrow(/physical_interface_mappings: "physnet1:eth2"/);
  });

  test('wires nothing for details that would become other commands', async () => {
    await world.startAgent();
    const { device } = world.server.port({ network_id: `x\nlink delete lo\n${randomUUID()}` });
    await world.addDevice(device);
    await world.logs(/network id .* want a UUID/);
    expect((await world.link(device))?.master).toBeUndefined();
    expect(world.server.count(`update_device_up ${device}`)).toBe(0);
  });
});
