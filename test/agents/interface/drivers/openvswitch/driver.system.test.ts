import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { InterfaceDriver } from '../../../../../src/agents/interface/contract.ts';
import type { AgentDevice } from '../../../../../src/agents/interface/device.ts';
import { OPEN_VSWITCH } from '../../../../../src/agents/interface/drivers/openvswitch/kind.ts';
import { defaultConfig } from '../../../../../src/config/options.ts';
import { deleteNamespace } from '../../../../../src/linux/namespaces.ts';
import { run } from '../../../../../src/linux/run.ts';
import { tapName } from '../../../../../src/net/device-names.ts';
import { openVswitchObstacle, startOpenVswitch, type TestSwitch } from '../../../../support/open-vswitch.ts';
import { interfaceDriverContract } from '../../driver-contract.ts';

const obstacle = openVswitchObstacle();
const BRIDGE = 'br-t-int';
const log = pino({ level: 'silent' });
const eventually = <T>(check: () => T | Promise<T>) => vi.waitFor(check, { timeout: 20_000, interval: 5 });

describe.skipIf(obstacle !== undefined)(`Open vSwitch${obstacle ? `: ${obstacle}` : ''}`, () => {
  let ovs: TestSwitch;
  beforeAll(async () => {
    ovs = await startOpenVswitch();
    await ovs.addBridge(BRIDGE);
  });
  afterAll(() => ovs?.dispose());

  const configOf = (veth: boolean, more: { ovsdb_connection?: string; integration_bridge?: string } = {}) => {
    const { DEFAULT, ovs: defaults } = defaultConfig();
    return {
      DEFAULT: { ...DEFAULT, ovs_use_veth: veth },
      ovs: { ...defaults, integration_bridge: BRIDGE, ovsdb_connection: ovs.connection, ovsdb_timeout: 5, ...more },
    };
  };
  const portNames = async (bridge = BRIDGE) => (await ovs.vsctl('list-ports', bridge)).split('\n');
  const row = async (table: 'port' | 'interface', name: string, ...columns: string[]) =>
    (await ovs.vsctl('get', table, name, ...columns)).split('\n').map((text) => text.replaceAll('"', ''));

  describe.each([
    ['internal ports', false],
    ['veth pairs', true],
  ])('with %s', (_what, veth) => {
    interfaceDriverContract(OPEN_VSWITCH, () => ({
      config: configOf(veth),
      isWired: async ({ name }) => (await portNames()).includes(name),
    }));

    let driver: InterfaceDriver;
    let mark: string;
    const made: AgentDevice[] = [];
    const lost: string[] = [];
    const newDevice = (mac: string, more: Partial<AgentDevice> = {}): AgentDevice => {
      const owner = randomUUID();
      const portId = randomUUID();
      const namespace = `t-ovs-${owner.slice(0, 8)}`;
      const device = { name: tapName(portId), portId, owner, namespace, mac, mtu: 1442, siblings: [], ...more };
      made.push(device);
      return device;
    };
    /** Plugs a device with an address, and returns whether the agent had to configure a new one. */
    const plug = async (device: AgentDevice, address: string, by = driver) => {
      let isNew = false;
      await by.plug(device, ({ up, addresses }) => {
        isNew = !up;
        const has = addresses.some((one) => one.address === address);
        return { steps: has ? [] : [['addr', 'add', `${address}/24`, 'dev', device.name]], settings: {} };
      });
      return isNew;
    };
    const open = async (parts: Partial<Parameters<typeof OPEN_VSWITCH.create>[0]> = {}) => {
      const opened = await OPEN_VSWITCH.create({ config: configOf(veth), mark, log, ...parts });
      opened.onLost((owner) => lost.push(owner));
      return opened;
    };
    const pings = (from: AgentDevice, to: string) =>
      run(['ip', 'netns', 'exec', from.namespace, 'ping', '-c1', '-W0.5', to], { okCodes: [0, 1] }).then(
        ({ exitCode }) => exitCode === 0,
      );
    /** What the Open vSwitch agent does when it has the details of a port. */
    const wire = async ({ name }: AgentDevice, tag = 7) => {
      await ovs.vsctl('clear', 'port', name, 'vlan_mode', 'trunks', '--', 'set', 'port', name, `tag=${tag}`);
    };

    beforeEach(async () => {
      mark = `neutrino-test:${randomUUID()}:`;
      lost.length = 0;
      driver = await open();
    });
    afterEach(async () => {
      for (const { owner, namespace } of made.splice(0)) await driver.unplug(owner, namespace);
      await driver.close();
    });

    it('plugs a port as Neutron does: its ids, and the dead VLAN until the Open vSwitch agent has wired it', async () => {
      const [one, two] = [newDevice('fa:16:3e:00:00:01'), newDevice('fa:16:3e:00:00:02')];
      await plug(one, '10.9.0.1');
      await plug(two, '10.9.0.2');
      expect(await row('port', one.name, 'tag', 'vlan_mode', 'trunks')).toEqual(['4095', 'trunk', '[4095]']);
      expect(await row('interface', one.name, 'type', 'external_ids', 'error')).toEqual([
        veth ? '' : 'internal',
        `{attached-mac=${one.mac}, iface-id=${one.portId}, iface-status=active, neutrino-owner=${mark}${one.owner}}`,
        '[]',
      ]);
      expect(await pings(one, '10.9.0.2')).toBe(false);
      for (const device of [one, two]) await wire(device);
      await eventually(async () => expect(await pings(one, '10.9.0.2')).toBe(true));

      const before = [await row('port', one.name, '_uuid', 'tag'), await row('interface', one.name, '_uuid')];
      const later = await open();
      expect(await plug(one, '10.9.0.1', later)).toBe(false);
      await later.close();
      expect([await row('port', one.name, '_uuid', 'tag'), await row('interface', one.name, '_uuid')]).toEqual(before);
      expect(lost).toEqual([]);
    });

    it('adopts a port that a stock agent has plugged, and only adds its mark', async () => {
      const device = newDevice('fa:16:3e:00:00:01');
      await plug(device, '10.9.0.1');
      await ovs.vsctl('remove', 'interface', device.name, 'external_ids', 'neutrino-owner');
      await ovs.vsctl('set', 'interface', device.name, 'external_ids:other=kept');
      const before = await row('interface', device.name, '_uuid');
      expect(await plug(device, '10.9.0.1')).toBe(false);
      expect(await row('interface', device.name, '_uuid')).toEqual(before);
      expect(await row('interface', device.name, 'external_ids:neutrino-owner', 'external_ids:other')).toEqual([
        `${mark}${device.owner}`,
        'kept',
      ]);
    });

    it('removes other ports that claim its Neutron port, and leaves those of others', async () => {
      const device = newDevice('fa:16:3e:00:00:01');
      const stranger = newDevice('fa:16:3e:00:00:02');
      await plug(stranger, '10.9.0.2');
      const rogue = 'rogue-dup';
      await ovs.vsctl(
        ...['--may-exist', 'add-port', BRIDGE, rogue, '--', 'set', 'interface', rogue, 'type=internal'],
        `external_ids:iface-id=${device.portId}`,
      );
      await plug(device, '10.9.0.1');
      expect(await portNames()).not.toContain(rogue);
      expect(await portNames()).toEqual(expect.arrayContaining([device.name, stranger.name]));
    });

    it('moves a port that is on another bridge', async () => {
      const device = newDevice('fa:16:3e:00:00:01');
      await ovs.addBridge('br-t-other');
      try {
        const elsewhere = await open({ config: configOf(veth, { integration_bridge: 'br-t-other' }) });
        await plug(device, '10.9.0.1', elsewhere);
        await elsewhere.close();
        await plug(device, '10.9.0.1');
        expect(await portNames('br-t-other')).not.toContain(device.name);
        expect(await portNames()).toContain(device.name);
      } finally {
        await ovs.vsctl('del-br', 'br-t-other');
      }
    });

    it.each([
      ['the port', (device: AgentDevice) => ovs.vsctl('del-port', device.name)],
      ['the namespace', (device: AgentDevice) => deleteNamespace(device.namespace)],
    ])('reports when somebody removes %s, and plugs it again', async (_what, remove) => {
      const [device, other] = [newDevice('fa:16:3e:00:00:01'), newDevice('fa:16:3e:00:00:02')];
      await plug(device, '10.9.0.1');
      await plug(other, '10.9.0.2');
      await remove(device);
      await eventually(() => expect(lost).toContain(device.owner));
      await plug(device, '10.9.0.1');
      for (const one of [device, other]) await wire(one);
      await eventually(async () => expect(await pings(device, '10.9.0.2')).toBe(true));
      expect(lost).not.toContain(other.owner);
    });

    it.each(['SIGKILL', 'SIGTERM'] as const)(
      'plugs again what a restart of ovs-vswitchd (%s) has cut',
      async (signal) => {
        const devices = [newDevice('fa:16:3e:00:00:01'), newDevice('fa:16:3e:00:00:02')] as const;
        await plug(devices[0], '10.9.0.1');
        await plug(devices[1], '10.9.0.2');
        for (const device of devices) await wire(device);
        await ovs.stopDaemon(signal);
        await ovs.startDaemon();
        if (!veth) for (const device of devices) await eventually(() => expect(lost).toContain(device.owner));
        await plug(devices[0], '10.9.0.1');
        await plug(devices[1], '10.9.0.2');
        await eventually(async () => expect(await pings(devices[0], '10.9.0.2')).toBe(true));
        // Only the device is new: the row still has what the Open vSwitch agent has set.
        expect(await row('port', devices[0].name, 'tag')).toEqual(['7']);
      },
    );

    it('says that the database is away, and goes on when it is back', async () => {
      const [device, other] = [newDevice('fa:16:3e:00:00:01'), newDevice('fa:16:3e:00:00:02')];
      await plug(device, '10.9.0.1');
      await ovs.stopDatabase();
      await expect(plug(other, '10.9.0.2')).rejects.toThrow(`the Open vSwitch database at ${ovs.connection}`);
      await expect(driver.owners()).rejects.toThrow('cannot be used');
      await ovs.startDatabase();
      await plug(other, '10.9.0.2');
      expect((await driver.owners()).toSorted()).toEqual([device.owner, other.owner].toSorted());
      expect(await portNames()).toEqual(expect.arrayContaining([device.name, other.name]));
      expect(lost).toEqual([]);
    });

    it('says which bridge is missing, and that ovs-vswitchd does not run', async () => {
      const missing = await open({ config: configOf(veth, { integration_bridge: 'br-t-none' }) });
      const device = newDevice('fa:16:3e:00:00:01');
      await expect(plug(device, '10.9.0.1', missing)).rejects.toThrow('Open vSwitch has no bridge br-t-none');
      await missing.close();

      const { ovs: options, ...rest } = configOf(veth);
      const hasty = await open({ config: { ...rest, ovs: { ...options, ovsdb_timeout: 1 } } });
      await ovs.stopDaemon('SIGTERM');
      await expect(plug(device, '10.9.0.1', hasty)).rejects.toThrow('ovs-vswitchd has not carried out');
      await hasty.close();
      await ovs.startDaemon();
      await plug(device, '10.9.0.1');
      expect(await row('interface', device.name, 'error')).toEqual(['[]']);
    });

    it('changes the marks of a renamed host', async () => {
      const device = newDevice('fa:16:3e:00:00:01');
      await plug(device, '10.9.0.1');
      expect(await OPEN_VSWITCH.relabel?.(configOf(veth), mark, `${mark}renamed:`)).toEqual([device.name]);
      const renamed = await open({ mark: `${mark}renamed:` });
      expect(await renamed.owners()).toEqual([device.owner]);
      await renamed.close();
      await OPEN_VSWITCH.relabel?.(configOf(veth), `${mark}renamed:`, mark);
    });
  });
});
