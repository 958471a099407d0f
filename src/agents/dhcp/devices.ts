import type { Logger } from 'pino';
import type { Config } from '../../config/options.ts';
import { dhcpNamespace } from '../../net/device-names.ts';
import { hostUuid } from '../../net/dhcp-device-id.ts';
import type { InterfaceDriverKind } from '../interface/drivers/kind.ts';
import { interfaceDriverKind } from '../interface/drivers/registry.ts';
import { type DeviceSpec, planInside } from './device-plan.ts';

/** The devices and namespaces of one DHCP agent. Calls for one network never overlap. */
export interface DhcpDevices {
  /**
   * Brings device and namespace to the desired state; correct state is unchanged. If it throws, it is retried. `siblings`: the
   * agent's other devices in the namespace; default: none.
   */
  ensure(spec: DeviceSpec, siblings?: readonly string[]): Promise<void>;
  /** Removes the network's namespace and devices. Absent ones are not an error. */
  remove(networkId: string): Promise<void>;
  /** Returns the networks for which this agent, or an earlier process of it, has devices. */
  owned(): Promise<readonly string[]>;
  /** Registers a callback for devices that disappear without being removed by this process. */
  onLost(listener: (networkId: string) => void): void;
  close(): Promise<void>;
}

/** Returns what the mark of each device that the agent of a host creates begins with; the network's id follows. */
export const deviceMark = (host: string): string => `neutrino-dhcp:${hostUuid(host)}:`;

/** Returns the network for which a DHCP agent of any host created the device with this mark. */
export function markedDhcpNetwork(mark: string | undefined): string | undefined {
  return /^neutrino-dhcp:[^:]+:(.+)$/.exec(mark ?? '')?.[1];
}

/** The devices of this host's DHCP agent, created by a driver of this kind; default: the one that `interface_driver` names. */
export async function dhcpDevices(parts: {
  readonly config: Pick<Config, 'DEFAULT' | 'ovs'>;
  readonly log: Logger;
  readonly kind?: InterfaceDriverKind;
}): Promise<DhcpDevices> {
  const { config, log, kind = interfaceDriverKind(config) } = parts;
  const driver = await kind.create({ config, mark: deviceMark(config.DEFAULT.host), log });
  return {
    ensure: (spec, siblings = []) =>
      driver.plug({ ...spec, name: spec.device, owner: spec.networkId, siblings }, (there) => planInside(spec, there)),
    remove: (networkId) => driver.unplug(networkId, dhcpNamespace(networkId)),
    owned: () => driver.owners(),
    onLost: (listener) => driver.onLost(listener),
    close: () => driver.close(),
  };
}
