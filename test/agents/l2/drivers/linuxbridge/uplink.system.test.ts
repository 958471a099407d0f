import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { removeDevices } from '../../../../../src/agents/l2/drivers/linuxbridge/remove.ts';
import { ipBatch } from '../../../../../src/linux/ip.ts';
import { deleteNamespace, ensureNamespace } from '../../../../../src/linux/namespaces.ts';
import { run } from '../../../../../src/linux/run.ts';
import { bridgeName } from '../../../../../src/net/device-names.ts';
import { waitFor } from '../../../../../src/time/wait.ts';
import { needsRoot } from '../../../../linux/root.ts';
import { L2World } from '../../world.ts';

const NETWORK = '714aebe9-f5a0-4676-ab15-db78a80b2d1a';
const PHYSNET = { linux_bridge: { physical_interface_mappings: ['physnet1:eth1'] } };

describe.skipIf(needsRoot)('networks beyond one host (needs root)', () => {
  let world: L2World;
  beforeEach(async () => {
    world = await L2World.create();
  });
  afterEach(async () => {
    await world.close();
  });

  /** A port whose device is on the host. */
  const addPort = async (more: object, where = world) => {
    const port = world.server.port(more);
    await where.addDevice(port.device);
    return { ...port, bridge: bridgeName(port.networkId) };
  };

  describe('flat', () => {
    const flat = { network_type: 'flat', segmentation_id: null, physical_network: 'physnet1', mtu: 1500 };

    test('have the physical device in their bridge', async () => {
      await world.ip('link add eth1 type veth peer name wire');
      await world.startAgent(PHYSNET);
      const { device, bridge } = await addPort(flat);
      await world.server.hears(`update_device_up ${device}`);
      const links = await world.links();
      expect(links.get('eth1')).toMatchObject({ master: bridge });
      expect(links.get('eth1')?.flags).toContain('UP');
      expect(links.get('eth1')?.ifalias).toBeUndefined();
    });

    test('give the physical device back when they are deleted', async () => {
      await world.ip('link add eth1 type veth peer name wire');
      await world.startAgent(PHYSNET);
      const { device, bridge, networkId } = await addPort(flat);
      await world.server.hears(`update_device_up ${device}`);
      await world.ip(`link delete ${device}`);
      await world.server.networkDelete(networkId);
      await world.sees(bridge, (link) => link === undefined);
      expect((await world.link('eth1'))?.master).toBeUndefined();
    });

    test('are refused where the device has the host’s own addresses', async () => {
      await world.ip('link add eth1 type veth peer name wire', 'addr add 192.0.2.5/24 dev eth1');
      await world.startAgent(PHYSNET);
      const { device } = await addPort(flat);
      await world.logs(/eth1 has addresses of the host \(192\.0\.2\.5\)/);
      const links = await world.links();
      expect(links.get('eth1')?.master).toBeUndefined();
      expect(links.get(device)?.master).toBeUndefined();
      expect(world.server.count(`update_device_up ${device}`)).toBe(0);
    });

    test('are refused where the device is missing, and wired once it is there', async () => {
      await world.startAgent(PHYSNET);
      const { device } = await addPort(flat);
      await world.logs(/physical_interface_mappings names eth1, which this host lacks/);
      await world.ip('link add eth1 type veth peer name wire');
      await world.server.hears(`update_device_up ${device}`);
    });

    test('are refused where there is no mapping', async () => {
      await world.startAgent();
      const { device } = await addPort(flat);
      await world.logs(/physical network \\"physnet1\\" is not in .*\(there: none\)/);
      expect(world.server.count(`update_device_up ${device}`)).toBe(0);
    });
  });

  test('vlan have a VLAN device in their bridge, or are refused by a kernel without 802.1Q', async () => {
    await world.ip('link add eth1 type veth peer name wire');
    await world.startAgent(PHYSNET);
    const { device, bridge } = await addPort({
      network_type: 'vlan',
      segmentation_id: 100,
      physical_network: 'physnet1',
    });
    const probe = ['ip', '-n', world.namespace, 'link', 'add', 'link', 'wire', 'name', 'v5', 'type', 'vlan', 'id', '5'];
    const { exitCode } = await run(probe as [string, ...string[]], { okCodes: [0, 1, 2] });
    if (exitCode === 0) {
      await world.server.hears(`update_device_up ${device}`);
      expect((await world.link('eth1.100'))?.master).toBe(bridge);
    } else {
      await world.logs(/VLAN 100 on eth1: this kernel has no 802\.1Q support \(module 8021q\)/);
      expect((await world.link(device))?.master).toBeUndefined();
      expect(world.server.count(`update_device_up ${device}`)).toBe(0);
    }
  });

  describe('vxlan', () => {
    test('are refused where no device has local_ip', async () => {
      await world.startAgent({ vxlan: { enable_vxlan: true, local_ip: '192.0.2.9', vxlan_group: '239.1.1.1' } });
      const { device } = await addPort({ segmentation_id: 7 });
      await world.logs(/local_ip 192\.0\.2\.9: no device of this host has this address/);
      expect(world.server.count(`update_device_up ${device}`)).toBe(0);
    });

    test('join guests on two hosts', async () => {
      const there = await L2World.create();
      const guests = [0, 1].map(() => `t-l2g-${randomBytes(4).toString('hex')}`);
      try {
        await world.ip(`link add eth0 type veth peer name eth0 netns ${there.namespace}`);
        for (const [n, host] of [world, there].entries()) {
          await host.ip(`addr add 192.0.2.${n + 1}/24 dev eth0`, 'link set dev eth0 up');
          await host.startAgent({
            vxlan: { enable_vxlan: true, local_ip: `192.0.2.${n + 1}`, vxlan_group: '239.1.1.1' },
          });
          const guest = guests[n] as string;
          await ensureNamespace(guest);
          const port = host.server.port({ segmentation_id: 7, mtu: 1450, network_id: NETWORK });
          await host.ip(`link add ${port.device} type veth peer name nic netns ${guest}`);
          await host.server.hears(`update_device_up ${port.device}`);
          await ipBatch(
            [
              ['addr', 'add', `10.9.0.${n + 1}/24`, 'dev', 'nic'],
              ['link', 'set', 'dev', 'nic', 'mtu', '1450', 'up'],
            ],
            { namespace: guest },
          );
          expect((await host.link('vxlan-7'))?.master).toBe(bridgeName(NETWORK));
        }
        const ping = ['ip', 'netns', 'exec', guests[0] as string, 'busybox', 'ping', '-c', '1', '-W', '1', '10.9.0.2'];
        const answered = async () => (await run(ping as [string, ...string[]], { okCodes: [0, 1] })).exitCode === 0;
        await waitFor('an answer from the other host', answered, 20_000);
        expect(await removeDevices(there)).toEqual(expect.arrayContaining(['vxlan-7', bridgeName(NETWORK)]));
      } finally {
        for (const guest of guests) await deleteNamespace(guest);
        await there.close();
      }
    });
  });

  describe('taking down', () => {
    test('removes what the agent made and nothing else', async () => {
      const agent = await world.startAgent();
      const { device, bridge } = await addPort({});
      await world.server.hears(`update_device_up ${device}`);
      await agent.close();
      await world.ip(
        'link add brq00000000-00 type bridge',
        'link add br0 type bridge',
        'link set dev br0 alias neutrino:00000000-0000-0000-0000-000000000000',
      );
      expect(await removeDevices(world)).toEqual([bridge]);
      const links = await world.links();
      expect(links.has(bridge)).toBe(false);
      for (const name of [device, 'brq00000000-00', 'br0', 'lo']) expect(links.has(name)).toBe(true);
      expect(await removeDevices(world)).toEqual([]);
    });
  });
});
