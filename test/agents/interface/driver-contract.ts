import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { InterfaceDriver } from '../../../src/agents/interface/contract.ts';
import type { AgentDevice, NamespaceState } from '../../../src/agents/interface/device.ts';
import type { InterfaceConfig, InterfaceDriverKind } from '../../../src/agents/interface/drivers/kind.ts';
import { defaultConfig } from '../../../src/config/options.ts';
import { listAddresses } from '../../../src/linux/addresses.ts';
import { ipBatch } from '../../../src/linux/ip.ts';
import { showLink } from '../../../src/linux/links.ts';
import { namespaceExists } from '../../../src/linux/namespaces.ts';
import { tapName } from '../../../src/net/device-names.ts';
import { linkExists, readSysctl } from '../../linux/devices.ts';
import { needsRoot } from '../../linux/root.ts';

const log = pino({ level: 'silent' });

/** How a driver's host is configured, and where an L2 agent finds its devices there. */
export interface DriverHost {
  readonly config: InterfaceConfig;
  /** Whether the host has the device's other end. */
  isWired(device: AgentDevice): Promise<boolean>;
}

const HOST: DriverHost = { config: defaultConfig(), isWired: ({ name }) => linkExists(name) };

/** What every interface driver must do. Runs in real namespaces; skipped without root. */
export function interfaceDriverContract(kind: InterfaceDriverKind, host: () => DriverHost = () => HOST): void {
  describe.skipIf(needsRoot)(`the interface driver ${kind.name} (needs root)`, () => {
    let mark: string;
    let driver: InterfaceDriver;
    let device: AgentDevice;
    const opened: InterfaceDriver[] = [];
    const open = async (withMark: string = mark) => {
      const made = await kind.create({ config: host().config, mark: withMark, log });
      opened.push(made);
      return made;
    };
    const deviceOf = (owner: string, more: Partial<AgentDevice> = {}, portId: string = randomUUID()): AgentDevice => ({
      name: tapName(portId),
      portId,
      owner,
      namespace: `t-if-${owner.slice(0, 8)}`,
      mac: 'fa:16:3e:12:34:56',
      mtu: 1442,
      siblings: [],
      ...more,
    });
    /** An agent that wants one address and one kernel setting; remembers what it was shown. */
    const agentOf = (wanted: Pick<AgentDevice, 'name'>) => {
      const seen: NamespaceState[] = [];
      const configure = (there: NamespaceState) => {
        seen.push(there);
        const has = there.addresses.some(({ address }) => address === '10.0.0.2');
        return {
          steps: has ? [] : [['addr', 'add', '10.0.0.2/24', 'dev', wanted.name]],
          settings: { [`net/ipv6/conf/${wanted.name}/accept_ra`]: 0 },
        };
      };
      return { seen, configure };
    };
    const plug = async (wanted: AgentDevice, by: InterfaceDriver = driver) => {
      const { seen, configure } = agentOf(wanted);
      await by.plug(wanted, configure);
      return seen;
    };
    const isThere = (wanted: AgentDevice) => linkExists(wanted.name, wanted);

    beforeEach(async () => {
      mark = `neutrino-test:${randomUUID()}:`;
      device = deviceOf(randomUUID());
      driver = await open();
    });
    afterEach(async () => {
      await driver.unplug(device.owner, device.namespace);
      await Promise.all(opened.splice(0).map((one) => one.close()));
    });

    it('creates device and namespace, with MAC and MTU, up, and configured as the agent wants', async () => {
      const seen = await plug(device);
      expect(seen).toEqual([{ up: false, addresses: [], routes: [] }]);
      expect(await showLink(device.name, device)).toMatchObject({ mac: device.mac, mtu: 1442, up: true });
      expect(await showLink('lo', device)).toMatchObject({ up: true });
      expect((await listAddresses(device.name, device)).map(({ address }) => address)).toContain('10.0.0.2');
      expect(await readSysctl(`net/ipv6/conf/${device.name}/accept_ra`, device)).toBe('0');
      // The end that an L2 agent wires has the same name, on the host.
      expect(await host().isWired(device)).toBe(true);
    });

    it('leaves a device that is right as it is, also one of an earlier process', async () => {
      await plug(device);
      const before = [await showLink(device.name), await showLink(device.name, device)];
      const seen = await plug(device, await open());
      expect(seen).toMatchObject([{ up: true, addresses: expect.arrayContaining([expect.anything()]) }]);
      expect([await showLink(device.name), await showLink(device.name, device)]).toEqual(before);
    });

    it('changes the MTU of a device without creating it anew', async () => {
      await plug(device);
      const before = await showLink(device.name, device);
      await plug({ ...device, mtu: 1400 });
      expect(await showLink(device.name, device)).toEqual({ ...before, mtu: 1400 });
    });

    it('gives a device another MAC', async () => {
      await plug(device);
      await plug({ ...device, mac: 'fa:16:3e:65:43:21' });
      expect(await showLink(device.name, device)).toMatchObject({ mac: 'fa:16:3e:65:43:21', up: true });
    });

    it('repairs a device that was taken down, and tells the agent so', async () => {
      await plug(device);
      await ipBatch([['link', 'set', 'dev', device.name, 'down']], device);
      const seen = await plug(device);
      expect(seen).toMatchObject([{ up: false }]);
      expect(await showLink(device.name, device)).toMatchObject({ up: true });
    });

    it('removes devices of earlier ports, and keeps siblings', async () => {
      const sibling = deviceOf(device.owner, { mac: 'fa:16:3e:00:00:02' });
      const next = deviceOf(device.owner, { mac: 'fa:16:3e:00:00:03', siblings: [sibling.name] });
      await plug(device);
      await plug({ ...sibling, siblings: [device.name] });
      await plug(next);
      expect(await Promise.all([device, sibling, next].map(isThere))).toEqual([false, true, true]);
    });

    it('removes namespace and devices, also those of an earlier process; twice is no error', async () => {
      await plug(device);
      const later = await open();
      await later.unplug(device.owner, device.namespace);
      await later.unplug(device.owner, device.namespace);
      expect(await namespaceExists(device.namespace)).toBe(false);
      expect(await host().isWired(device)).toBe(false);
      await vi.waitFor(async () => expect(await linkExists(device.name)).toBe(false), { timeout: 20_000, interval: 5 });
    });

    it('marks its devices, so that what removes a host finds them', async () => {
      await plug(device);
      const marked = await kind.marked(host().config);
      expect(marked.filter((one) => one.name === device.name)).toEqual([
        { name: device.name, mark: `${mark}${device.owner}` },
      ]);
    });

    it('finds its owners after a restart, and those of no other agent', async () => {
      await plug(device);
      expect(await (await open()).owners()).toEqual([device.owner]);
      expect(await (await open(`${mark}other:`)).owners()).toEqual([]);
    });

    it('reports a device that somebody else removed, and none that it removed itself', async () => {
      const lost: string[] = [];
      driver.onLost((owner) => lost.push(owner));
      await plug(device);
      await driver.unplug(device.owner, device.namespace);
      const other = deviceOf(randomUUID());
      await plug(other);
      try {
        await ipBatch([['link', 'delete', 'dev', other.name]], other);
        await vi.waitFor(() => expect(lost).toContain(other.owner), { timeout: 20_000, interval: 5 });
        // Events come in order: that of the first device would have come before.
        expect(lost).toEqual([other.owner]);
      } finally {
        await driver.unplug(other.owner, other.namespace);
      }
    });

    it('rejects names that would lead elsewhere, and changes nothing', async () => {
      await expect(plug({ ...device, namespace: '../../x' })).rejects.toThrow('../../x');
      await expect(plug({ ...device, mac: 'fa:16 up' })).rejects.toThrow('cannot be a word');
      expect(await linkExists(device.name)).toBe(false);
      expect(await host().isWired(device)).toBe(false);
    });
  });
}
