import { DHCP_OWNER } from '../../net/device-owners.ts';
import { RESERVED_DHCP_PORT } from '../../net/dhcp-device-id.ts';
import type { FixedIp, NetworkFacts, NetworkInfo, PortDocument } from '../../rpc/documents.ts';

/** A fixed IP to request: its subnet and, optionally, its address; default: chosen by the server. */
interface FixedIpRequest {
  readonly subnet_id: string;
  readonly ip_address?: string;
}

/** The next step for the agent to get its port on a network, with the request bodies for `q-plugin`. */
export type DhcpPortStep =
  | { readonly kind: 'right'; readonly port: PortDocument }
  | {
      readonly kind: 'update';
      readonly portId: string;
      readonly body: { readonly network_id: string; readonly fixed_ips: readonly FixedIpRequest[] };
    }
  | {
      readonly kind: 'adopt';
      readonly portId: string;
      readonly body: { readonly network_id: string; readonly device_id: string };
    }
  | { readonly kind: 'create'; readonly body: Readonly<Record<string, unknown>> };

/** Returns the subnets with DHCP: the agent's port has an address in each, even if hosts form their own (SLAAC). */
export function dhcpSubnetIds(info: NetworkFacts): readonly string[] {
  return info.subnets.filter((subnet) => subnet.enable_dhcp).map((subnet) => subnet.id);
}

/** Returns whether the network needs to be served. */
export function wantsDhcp(info: NetworkFacts): boolean {
  return info.admin_state_up && info.subnets.some((subnet) => subnet.enable_dhcp);
}

/** Returns whether a port can be an agent's own, or reserved for the next agent. */
export function mayBeDhcpPort({ device_owner, device_id }: PortDocument): boolean {
  return device_owner === DHCP_OWNER || device_id.startsWith('dhcp') || device_id === RESERVED_DHCP_PORT;
}

/** Returns the agent's own port on the network, found by its `device_id`. */
function findDhcpPort(info: NetworkInfo, deviceId: string): PortDocument | undefined {
  return info.ports.find((port) => port.device_id === deviceId);
}

/** Compares the subnets in which the port has an address with those in which it should have one. */
function subnetsDiffer(port: PortDocument, wanted: readonly string[]): boolean {
  const has = new Set(port.fixed_ips.map((fixed) => fixed.subnet_id));
  return has.size !== wanted.length || wanted.some((id) => !has.has(id));
}

/**
 * Returns the next step towards the agent's own port: correct the existing one, take over a port that the server reserved for the
 * next agent, or create one. `tried`: reserved ports that another agent took over first.
 */
export function planDhcpPort(
  info: NetworkInfo,
  deviceId: string,
  tried: ReadonlySet<string> = new Set(),
): DhcpPortStep {
  const wanted = dhcpSubnetIds(info);
  const own = findDhcpPort(info, deviceId);
  if (own && !subnetsDiffer(own, wanted)) return { kind: 'right', port: own };
  if (own) {
    const kept = own.fixed_ips.filter((fixed) => wanted.includes(fixed.subnet_id));
    const missing = wanted.filter((id) => !kept.some((fixed) => fixed.subnet_id === id));
    return {
      kind: 'update',
      portId: own.id,
      body: {
        network_id: info.id,
        fixed_ips: [
          ...kept.map(({ subnet_id, ip_address }) => ({ subnet_id, ip_address })),
          ...missing.map((subnet_id) => ({ subnet_id })),
        ],
      },
    };
  }
  // An agent on another segment may have left one: its addresses are of no use here.
  const isElsewhere = ({ subnet_id }: FixedIp) => info.non_local_subnets?.some(({ id }) => id === subnet_id) ?? false;
  const reserved = info.ports.find(
    (port) => port.device_id === RESERVED_DHCP_PORT && !tried.has(port.id) && !port.fixed_ips.some(isElsewhere),
  );
  if (reserved) {
    return { kind: 'adopt', portId: reserved.id, body: { network_id: info.id, device_id: deviceId } };
  }
  return {
    kind: 'create',
    body: {
      name: '',
      admin_state_up: true,
      device_id: deviceId,
      network_id: info.id,
      project_id: info.project_id ?? info.tenant_id,
      fixed_ips: wanted.map((subnet_id) => ({ subnet_id })),
    },
  };
}
