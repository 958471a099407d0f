import type { Logger } from 'pino';
import { dhcpDevices, markedDhcpNetwork } from '../../agents/dhcp/devices.ts';
import { FIREWALLS } from '../../agents/firewall/drivers/registry.ts';
import type { InterfaceDriverKind, MarkedDevice } from '../../agents/interface/drivers/kind.ts';
import { INTERFACE_DRIVERS, interfaceDriverKind } from '../../agents/interface/drivers/registry.ts';
import { L2_DRIVERS } from '../../agents/l2/drivers/registry.ts';
import type { Config } from '../../config/options.ts';
import { instanceStore } from '../../lab/instance.ts';
import { stopMachines } from '../../lab/remove.ts';
import { type Link, listLinks } from '../../linux/links.ts';
import { listNamespaces } from '../../linux/namespaces.ts';
import { dhcpNamespace } from '../../net/device-names.ts';
import { composeDhcpDriver } from '../compose/dhcp-agent.ts';
import { networksOfStatePath } from './networks-of-state-path.ts';

/** What `down` has removed from this host, by name. */
export interface Removed {
  readonly machines: readonly string[];
  readonly processes: readonly string[];
  readonly namespaces: readonly string[];
  readonly devices: readonly string[];
  readonly filters: readonly string[];
  /** Devices that Neutrino created for networks unknown to this state path, and that therefore belong to another one. */
  readonly leftAlone: readonly string[];
}

/**
 * Removes from this host only what the Neutrino of this state path created: machines, DHCP servers, DHCP namespaces, bridges and
 * other devices of the networks known to the state path. After an interruption, a second run completes it. Neutrino must not run
 * on the state path meanwhile. Needs root and iproute2.
 */
export async function removeFromHost(config: Config, log: Logger): Promise<Removed> {
  const networks = await networksOfStatePath(config, log);
  const machines = await stopMachines(instanceStore(config.DEFAULT.state_path));
  const namespacesBefore = await listNamespaces();
  const dhcp = await dhcpDevicesFound(config, log);
  const isOwn = ({ mark }: MarkedDevice) => networks.has(markedDhcpNetwork(mark) ?? '');
  const dhcpNames = [...new Set(dhcp.flatMap(({ marked }) => marked.filter(isOwn)).map(({ name }) => name))];

  const processes: string[] = [];
  const driver = composeDhcpDriver({ config, log });
  try {
    for (const { kind } of dhcp) {
      const devices = await dhcpDevices({ config, log, kind });
      try {
        for (const network of networks) {
          await devices.remove(network);
          const ended = await driver.stop(network);
          if (ended) processes.push(ended);
        }
      } finally {
        await devices.close();
      }
    }
  } finally {
    await driver.close();
  }
  const l2Devices: string[] = [];
  // Of all drivers, because the option may have changed.
  for (const kind of L2_DRIVERS) l2Devices.push(...(await kind.removeDevices({ networks })));
  const left = (await listLinks()).filter((link) => {
    const network = networkOf(link);
    return network !== undefined && !networks.has(network);
  });
  const filters: string[] = [];
  // Filters of other ports than these would be lost with the tables.
  if (left.length === 0) for (const kind of FIREWALLS) filters.push(...((await kind.removeFilters?.({})) ?? []));
  const isForeign = ({ mark }: MarkedDevice) => !networks.has(markedDhcpNetwork(mark) ?? '');
  return {
    machines,
    processes,
    namespaces: [...networks].map(dhcpNamespace).filter((name) => namespacesBefore.includes(name)),
    devices: [...dhcpNames, ...l2Devices],
    filters,
    leftAlone: [
      ...new Set([...dhcp.flatMap(({ marked }) => marked.filter(isForeign)), ...left].map(({ name }) => name)),
    ],
  };
}

interface FoundDevices {
  readonly kind: InterfaceDriverKind;
  readonly marked: readonly MarkedDevice[];
}

/**
 * Returns the devices of DHCP agents by the driver that removes them: the configured one, and others that have some, because the
 * option may have changed. An Open vSwitch that is not configured need not run.
 */
async function dhcpDevicesFound(config: Config, log: Logger): Promise<readonly FoundDevices[]> {
  const configured = interfaceDriverKind(config);
  const found = await Promise.all(
    INTERFACE_DRIVERS.map(async (kind) => {
      try {
        const all = await kind.marked(config);
        return { kind, marked: all.filter(({ mark }) => markedDhcpNetwork(mark) !== undefined) };
      } catch (error) {
        if (kind === configured) throw error;
        log.debug({ err: error, driver: kind.name }, 'the devices of another interface driver are unknown');
        return { kind, marked: [] };
      }
    }),
  );
  return found.filter(({ kind, marked }) => kind === configured || marked.length > 0);
}

/** Returns the network for which Neutrino created the device. */
function networkOf(link: Link): string | undefined {
  return markedDhcpNetwork(link.alias) ?? L2_DRIVERS.map((kind) => kind.networkOf(link)).find(Boolean);
}
