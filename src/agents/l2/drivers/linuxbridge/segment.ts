import type { Config } from '../../../../config/options.ts';
import type { IpCommand } from '../../../../linux/ip.ts';
import { checkDeviceName, vlanName, vxlanName } from '../../../../net/device-names.ts';
import type { DeviceDetails } from '../../../../rpc/topics/plugin.ts';

/** A device cannot be wired as the server requests; the message tells an operator why. */
export class CannotWire extends Error {
  constructor(why: string) {
    super(why);
    this.name = 'CannotWire';
  }
}

/** How this host reaches others. */
export interface HostSegments {
  /** Physical network to the device that reaches it. */
  readonly physical: ReadonlyMap<string, string>;
  /** VXLAN to other hosts; undefined: a VXLAN network is a bridge on this host alone. */
  readonly vxlan?: { readonly localIp: string; readonly group: string };
  readonly vxlanEnabled: boolean;
}

/** Reads `[linux_bridge]` and `[vxlan]`. Throws naming the pair that is wrong. */
export function hostSegments(config: Pick<Config, 'linux_bridge' | 'vxlan'>): HostSegments {
  const physical = new Map<string, string>();
  for (const pair of config.linux_bridge.physical_interface_mappings) {
    const [physnet, device, ...rest] = pair.split(':');
    if (!physnet || !device || rest.length > 0 || physical.has(physnet)) {
      throw new Error(
        `[linux_bridge] physical_interface_mappings: ${JSON.stringify(pair)}: want physnet:interface, each physnet once`,
      );
    }
    physical.set(physnet, checkDeviceName(device));
  }
  const { enable_vxlan, local_ip, vxlan_group } = config.vxlan;
  return {
    physical,
    vxlanEnabled: enable_vxlan,
    ...(enable_vxlan && local_ip ? { vxlan: { localIp: local_ip, group: vxlan_group } } : {}),
  };
}

/** The device that joins a network's bridge to the other hosts. */
export type Uplink =
  | { readonly kind: 'flat'; readonly device: string }
  | { readonly kind: 'vlan'; readonly device: string; readonly parent: string; readonly vid: number }
  | {
      readonly kind: 'vxlan';
      readonly device: string;
      readonly vni: number;
      readonly localIp: string;
      readonly group: string;
    };

/** Returns the uplink that a network needs on this host; undefined: none. Throws CannotWire. */
export function uplinkOf(details: DeviceDetails, host: HostSegments): Uplink | undefined {
  const { network_type: type, segmentation_id: id, physical_network: physnet } = details;
  switch (type) {
    case 'local':
      return undefined;
    case 'flat':
      return { kind: 'flat', device: physicalDevice(physnet, host) };
    case 'vlan': {
      const vid = segmentationId(type, id, 4094);
      const parent = physicalDevice(physnet, host);
      return { kind: 'vlan', parent, vid, device: vlanName(parent, vid) };
    }
    case 'vxlan': {
      if (!host.vxlanEnabled) throw new CannotWire('a vxlan network, but [vxlan] enable_vxlan is false on this host');
      const vni = segmentationId(type, id, 16_777_215);
      return host.vxlan && { kind: 'vxlan', vni, device: vxlanName(vni), ...host.vxlan };
    }
    default:
      throw new CannotWire(`network type ${JSON.stringify(type)}: this agent knows local, flat, vlan and vxlan`);
  }
}

/**
 * Returns the commands that create an uplink's device; none for a physical one. `below`: the device that VXLAN packets leave by.
 */
export function addUplinkCommands(uplink: Uplink, alias: string, below?: string): readonly IpCommand[] {
  if (uplink.kind === 'flat') return [];
  const mark = ['link', 'set', 'dev', uplink.device, 'alias', alias];
  if (uplink.kind === 'vlan') {
    const { parent, vid, device } = uplink;
    return [['link', 'add', 'link', parent, 'name', device, 'type', 'vlan', 'id', String(vid)], mark];
  }
  const { device, vni, localIp, group } = uplink;
  return [
    [
      ...['link', 'add', 'name', device, 'type', 'vxlan', 'id', String(vni), 'local', localIp, 'group', group],
      // 8472 is the port of Linux and of Neutron's agents; IANA's 4789 came later.
      ...['dstport', '8472', ...(below === undefined ? [] : ['dev', below])],
    ],
    mark,
  ];
}

function physicalDevice(physnet: string | null | undefined, host: HostSegments): string {
  const device = host.physical.get(physnet ?? '');
  if (device !== undefined) return device;
  const known = [...host.physical.keys()].join(', ') || 'none';
  throw new CannotWire(
    `physical network ${JSON.stringify(physnet ?? null)} is not in [linux_bridge] physical_interface_mappings (there: ${known})`,
  );
}

function segmentationId(type: string, id: number | null | undefined, max: number): number {
  if (typeof id === 'number' && Number.isInteger(id) && id >= 1 && id <= max) return id;
  throw new CannotWire(`segmentation id ${JSON.stringify(id ?? null)} of a ${type} network: want 1 to ${max}`);
}
