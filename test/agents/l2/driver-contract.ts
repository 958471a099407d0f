import { randomBytes, randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { L2Driver } from '../../../src/agents/l2/contract.ts';
import type { L2DriverKind } from '../../../src/agents/l2/drivers/kind.ts';
import { defaultConfig } from '../../../src/config/options.ts';
import { type IpCommand, ipBatch } from '../../../src/linux/ip.ts';
import { type LinkMonitor, startLinkMonitor } from '../../../src/linux/link-monitor.ts';
import { listLinks } from '../../../src/linux/links.ts';
import { deleteNamespace, ensureNamespace } from '../../../src/linux/namespaces.ts';
import { run } from '../../../src/linux/run.ts';
import { tapName } from '../../../src/net/device-names.ts';
import type { DeviceDetails } from '../../../src/rpc/topics/plugin.ts';
import { waitFor } from '../../../src/time/wait.ts';
import { needsRoot } from '../../linux/root.ts';

/** Long enough for a machine with much else to do; what is waited for takes milliseconds. */
const PATIENCE_MS = 20_000;

/** What every L2 driver must do. A namespace is the host, namespaces are the guests; skipped without root. */
export function l2DriverContract(kind: L2DriverKind): void {
  describe.skipIf(needsRoot)(`the L2 driver ${kind.name} (needs root)`, () => {
    const log = pino({ level: 'silent' });
    let host: string;
    let guests: string[];
    let monitor: LinkMonitor;
    let driver: L2Driver;
    let vanished: (name: string) => void;

    const open = (hostName: string = host): L2Driver => {
      const config = defaultConfig();
      const { DEFAULT } = config;
      return kind.create({
        config: { ...config, DEFAULT: { ...DEFAULT, host: hostName } },
        links: () => monitor.links(),
        where: { namespace: host },
        log,
      });
    };
    const ip = (...commands: readonly string[]) =>
      ipBatch(
        commands.map((command): IpCommand => command.split(' ')),
        { namespace: host },
      );

    beforeEach(async () => {
      host = `t-l2-${randomBytes(4).toString('hex')}`;
      guests = [];
      vanished = () => undefined;
      await ensureNamespace(host);
      monitor = await startLinkMonitor({
        namespace: host,
        log,
        onEvent: (event) => event.kind === 'removed' && vanished(event.link.name),
      });
      driver = open();
      vanished = (name) => driver.vanished(name);
    });
    afterEach(async () => {
      await driver.close();
      await monitor.close();
      for (const name of [...guests, host]) await deleteNamespace(name);
    });

    /** A guest whose device is on the host, not wired yet, and the details of its port. */
    const addGuest = async (networkId: string, address: string, more: Partial<DeviceDetails> = {}) => {
      const guest = `t-l2g-${randomBytes(4).toString('hex')}`;
      guests.push(guest);
      await ensureNamespace(guest);
      const details = detailsOf(networkId, more);
      const { device } = details;
      await ip(`link add ${device} type veth peer name nic netns ${guest}`);
      await ipBatch(
        [
          ['addr', 'add', `${address}/24`, 'dev', 'nic'],
          ['link', 'set', 'dev', 'nic', 'mtu', '1400', 'up'],
        ],
        { namespace: guest },
      );
      await waitFor(`${device} to be known`, () => monitor.links().has(device), PATIENCE_MS);
      return { guest, details };
    };
    const detailsOf = (networkId: string, more: Partial<DeviceDetails> = {}): DeviceDetails => {
      const portId = randomUUID();
      return {
        device: tapName(portId),
        port_id: portId,
        network_id: networkId,
        mac_address: 'fa:16:3e:00:00:01',
        admin_state_up: true,
        network_type: 'vxlan',
        segmentation_id: 4379,
        physical_network: null,
        mtu: 1400,
        fixed_ips: [],
        device_owner: 'compute:nova',
        ...more,
      };
    };
    const answers = async (guest: string, address: string) => {
      const ping = ['ip', 'netns', 'exec', guest, 'busybox', 'ping', '-c', '1', '-W', '1', address] as const;
      return (await run([...ping], { okCodes: [0, 1] })).exitCode === 0;
    };
    const reaches = (guest: string, address: string) =>
      waitFor(`an answer from ${address}`, () => answers(guest, address), PATIENCE_MS);
    /** Waits until the monitor has reported that the device is wired as its details say, or not. */
    const isWired = (details: DeviceDetails, wanted: boolean, by: L2Driver = driver) => {
      const now = () => {
        const link = monitor.links().get(details.device);
        return link !== undefined && by.isWired(details, link) === wanted;
      };
      return waitFor(`${details.device} to be ${wanted ? '' : 'not '}wired`, now, PATIENCE_MS);
    };
    const wired = async (networkId: string, address = '10.9.0.1', more: Partial<DeviceDetails> = {}) => {
      const made = await addGuest(networkId, address, more);
      expect(await driver.wire([made.details])).toEqual(new Map([[made.details.device, 'plugged']]));
      await isWired(made.details, true);
      return made;
    };

    it('connects devices of one network with each other, and with no other network', async () => {
      const [network, elsewhere] = [randomUUID(), randomUUID()];
      const one = await addGuest(network, '10.9.0.1');
      const two = await addGuest(network, '10.9.0.2');
      const other = await addGuest(elsewhere, '10.9.0.3', { segmentation_id: 4380 });
      const all = [one, two, other].map(({ details }) => details);
      expect(await driver.wire(all)).toEqual(new Map(all.map(({ device }) => [device, 'plugged'])));
      await reaches(one.guest, '10.9.0.2');
      expect(await answers(one.guest, '10.9.0.3')).toBe(false);
    });

    it('returns an outcome for each device; one that cannot be wired keeps no other from it', async () => {
      const { details } = await addGuest(randomUUID(), '10.9.0.1');
      const absent = detailsOf(randomUUID(), { segmentation_id: 4380 });
      const { details: hostile } = await addGuest('x\nlink delete lo', '10.9.0.2');
      const { details: down } = await addGuest(randomUUID(), '10.9.0.3', {
        segmentation_id: 4381,
        admin_state_up: false,
      });
      const outcomes = await driver.wire([hostile, absent, details, down]);
      expect(outcomes.get(hostile.device)).toBeInstanceOf(Error);
      expect(outcomes.get(absent.device)).toBe('gone');
      expect(outcomes.get(details.device)).toBe('plugged');
      expect(outcomes.get(down.device)).toBe('unplugged');
      expect(await driver.networks()).toContain(details.network_id);
      expect(await driver.networks()).not.toContain(down.network_id);
      await isWired(details, true);
      await isWired(down, true);
    });

    it('wires nothing when there is nothing to wire', async () => {
      expect(await driver.wire([])).toEqual(new Map());
      expect(await driver.networks()).toEqual([]);
    });

    it('touches nothing that is right already, also after a restart', async () => {
      const { details } = await wired(randomUUID());
      const before = await listLinks({ namespace: host });
      expect((await driver.wire([details])).get(details.device)).toBe('plugged');
      await driver.close();
      driver = open();
      expect((await driver.wire([details])).get(details.device)).toBe('plugged');
      expect(await listLinks({ namespace: host })).toEqual(before);
    });

    it.each([
      ['is set down', (device: string) => `link set dev ${device} down`],
      ['has another MTU', (device: string) => `link set dev ${device} mtu 1300`],
      ['is taken from its network', (device: string) => `link set dev ${device} nomaster`],
    ])('notices and repairs a device that %s', async (_what, harm) => {
      const { details } = await wired(randomUUID());
      await ip(harm(details.device));
      await isWired(details, false);
      expect((await driver.wire([details])).get(details.device)).toBe('plugged');
      await isWired(details, true);
    });

    it('gives a network another MTU', async () => {
      const { details } = await wired(randomUUID());
      const changed = { ...details, mtu: 1350 };
      await isWired(changed, false);
      await driver.wire([changed]);
      await isWired(changed, true);
    });

    it('cuts a device off while its port is down, and when its port is gone; an absent one is no error', async () => {
      const network = randomUUID();
      const one = await wired(network);
      const two = await wired(network, '10.9.0.2');
      await reaches(one.guest, '10.9.0.2');
      const down = { ...two.details, admin_state_up: false };
      expect((await driver.wire([down])).get(down.device)).toBe('unplugged');
      await isWired(down, true);
      expect(await answers(one.guest, '10.9.0.2')).toBe(false);
      await driver.cutOff(one.details.device);
      await isWired(one.details, false);
      await driver.cutOff('tap00000000-00');
    });

    it('knows the networks of its agent after a restart, and those of no other agent', async () => {
      const network = randomUUID();
      await wired(network);
      expect(await open().networks()).toEqual([network]);
      expect(await open('another-host').networks()).toEqual([]);
    });

    it('removes a network once no device is wired to it', async () => {
      const network = randomUUID();
      const { details } = await wired(network);
      expect(await driver.inUse(network)).toBe(true);
      expect(await driver.removeNetwork(network)).toBe(false);
      await isWired(details, true);
      await driver.cutOff(details.device);
      expect(await driver.inUse(network)).toBe(false);
      expect(await driver.removeNetwork(network)).toBe(true);
      expect(await driver.networks()).toEqual([]);
      expect(await driver.inUse(network)).toBe(false);
      expect(await driver.removeNetwork(network)).toBe(true);
    });

    it('wires a network again that was removed', async () => {
      const network = randomUUID();
      const { details } = await addGuest(network, '10.9.0.1');
      const before = monitor.links().size;
      await driver.wire([details]);
      await isWired(details, true);
      await driver.cutOff(details.device);
      await driver.removeNetwork(network);
      await waitFor('the removal to be known', () => monitor.links().size === before, PATIENCE_MS);
      expect((await driver.wire([details])).get(details.device)).toBe('plugged');
      await isWired(details, true);
    });

    it('leaves everything in place when it is closed', async () => {
      const { details } = await wired(randomUUID());
      const before = await listLinks({ namespace: host });
      await driver.close();
      expect(await listLinks({ namespace: host })).toEqual(before);
      await isWired(details, true);
    });

    it('has all that it created removed without an agent, and nothing else, network by network', async () => {
      const [network, other] = [randomUUID(), randomUUID()];
      const { details } = await wired(network);
      await wired(other, '10.9.0.2', { segmentation_id: 4380 });
      const links = await listLinks({ namespace: host });
      const created = (id: string) => links.filter((link) => kind.networkOf(link) === id).map(({ name }) => name);
      expect(created(network)).not.toEqual([]);
      expect(await kind.removeDevices({ namespace: host, networks: new Set([network]) })).toEqual(created(network));
      expect(await kind.removeDevices({ namespace: host })).toEqual(created(other));
      const left = await listLinks({ namespace: host });
      expect(left.filter((link) => kind.networkOf(link) !== undefined)).toEqual([]);
      expect(left.map(({ name }) => name)).toContain(details.device);
    });

    it('marks what it creates with a text that differs from host to host', async () => {
      const { state_path } = defaultConfig().DEFAULT;
      const mark = kind.mark({ host, state_path });
      expect(kind.mark({ host: 'another-host', state_path })).not.toBe(mark);
      await wired(randomUUID());
      const links = await listLinks({ namespace: host });
      const created = links.filter((link) => kind.networkOf(link) !== undefined);
      expect(created.every(({ alias }) => alias?.includes(mark))).toBe(true);
    });
  });
}
