import type { NetworkInfo, PortDocument, SubnetDocument } from '../../rpc/documents.ts';

/**
 * A part of a network that needs a DHCP port of its own: a segment, if the host reaches several of a routed network (servers since
 * release 2023.1 allow it where Open vSwitch wires ports), otherwise the whole network.
 */
export interface DhcpPart {
  /** The network as seen from the part: subnets of other segments are not local. */
  readonly info: NetworkInfo;
  /** `device_id` of the part's port. */
  readonly deviceId: string;
}

/** Returns whether a port is one of the agent's own on the network; agents since 2023.1 append a segmentation id. */
export const isOwnDhcpPort = ({ device_id }: Pick<PortDocument, 'device_id'>, deviceId: string): boolean =>
  device_id === deviceId || device_id.startsWith(`${deviceId}-`);

/** Returns the agent's own ports on the network. */
export const ownDhcpPorts = (info: NetworkInfo, deviceId: string): readonly PortDocument[] =>
  info.ports.filter((port) => isOwnDhcpPort(port, deviceId));

const isWithin = (port: PortDocument, subnets: readonly SubnetDocument[]): boolean =>
  port.fixed_ips.length > 0 && port.fixed_ips.every((ip) => subnets.some(({ id }) => id === ip.subnet_id));

/** Returns the parts of a network, in the order of their segments. `deviceId`: of the agent's port on the whole network. */
export function dhcpParts(info: NetworkInfo, deviceId: string): readonly DhcpPart[] {
  const own = ownDhcpPorts(info, deviceId);
  // The port that a part has keeps its name when the host gains or loses a segment.
  const named = (name: string, subnets: readonly SubnetDocument[]): string =>
    (own.find((port) => port.device_id === name) ?? own.find((port) => isWithin(port, subnets)))?.device_id ?? name;
  const segments = [...new Set(info.subnets.flatMap((s) => (s.enable_dhcp && s.segment_id ? [s.segment_id] : [])))];
  if (segments.length < 2) return [{ info, deviceId: named(deviceId, info.subnets) }];
  return segments.sort().map((segment) => {
    const subnets = info.subnets.filter((s) => s.segment_id === segment);
    const others = info.subnets.filter((s) => s.segment_id !== segment);
    const suffix = info.segments?.find(({ id }) => id === segment)?.segmentation_id ?? segment;
    return {
      info: { ...info, subnets, non_local_subnets: [...(info.non_local_subnets ?? []), ...others] },
      deviceId: named(`${deviceId}-${suffix}`, subnets),
    };
  });
}
