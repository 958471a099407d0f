import { COMPUTE_OWNER } from '../net/device-owners.ts';
import { hostName } from '../net/host-names.ts';
import type { NetworkDocument, PortDocument, SubnetDocument } from './neutron.ts';

export interface PortOptions {
  readonly machine: { readonly id: string; readonly name: string };
  readonly network: NetworkDocument;
  /** Host of the machine. */
  readonly host: string;
  /** The address to request; default: any. */
  readonly fixedIp?: string;
  /** Whether the server supports `dns_name` (extension dns-integration). */
  readonly named: boolean;
}

/** Returns the body of the POST /v2.0/ports with which nova-compute requests a NIC, bound to its host from the start. */
export function portRequest(options: PortOptions): Readonly<Record<string, unknown>> {
  const { machine, network, host, fixedIp, named } = options;
  const dnsName = named ? hostName(machine.name) : undefined;
  return {
    network_id: network.id,
    ...(network.tenant_id ? { tenant_id: network.tenant_id } : {}),
    admin_state_up: true,
    device_id: machine.id,
    device_owner: COMPUTE_OWNER,
    'binding:host_id': host,
    ...(fixedIp === undefined ? {} : { fixed_ips: [{ ip_address: fixedIp }] }),
    ...(dnsName === undefined ? {} : { dns_name: dnsName }),
  };
}

/** Returns the addresses of a port that are expected by DHCP: IPv4, in a subnet with DHCP. */
export function addressesByDhcp(port: PortDocument, subnets: readonly SubnetDocument[]): readonly string[] {
  const served = new Set(subnets.filter((one) => one.ip_version === 4 && one.enable_dhcp).map(({ id }) => id));
  return port.fixed_ips.filter(({ subnet_id }) => served.has(subnet_id)).map(({ ip_address }) => ip_address);
}
