import type { Queries } from '../../db/database.ts';
import { type Cidr, cidrsOverlap, formatCidr, parseCidr } from '../../net/addresses.ts';
import { isRouterInterface, ROUTER_GATEWAY_OWNER } from '../../net/device-owners.ts';
import { neutronError } from '../../resources/errors.ts';
import type { FixedIp } from '../../resources/port-types.ts';

/** A subnet on which a router has an address, or is to have one. */
export interface RouterSubnet {
  readonly id: string;
  readonly cidr: Cidr;
}

/** A port of a router. */
export interface AttachedPort {
  readonly id: string;
  readonly networkId: string;
  /** The device owner that it has for the router. */
  readonly type: string;
  readonly fixedIps: readonly FixedIp[];
  /** The subnets of its addresses. */
  readonly subnets: readonly RouterSubnet[];
}

export const isGateway = ({ type }: AttachedPort): boolean => type === ROUTER_GATEWAY_OWNER;
export const isInterface = ({ type }: AttachedPort): boolean => isRouterInterface(type);
export const hasIpv6 = ({ subnets }: AttachedPort): boolean => subnets.some(({ cidr }) => cidr.version === 6);

/** Parses a prefix of the database. Throws an Error if it is malformed, which indicates a bug. */
export function storedCidr(subnetId: string, text: string): Cidr {
  const cidr = parseCidr(text);
  if (!cidr) throw new Error(`subnet ${subnetId} has an invalid cidr in the database: '${text}'`);
  return cidr;
}

/** Returns the ports of a router in order of their creation. */
export async function attachedPorts(db: Queries, routerId: string): Promise<readonly AttachedPort[]> {
  const rows = await db
    .selectFrom('routerports as r')
    .innerJoin('ports', 'ports.id', 'r.port_id')
    .leftJoin('ipallocations as a', 'a.port_id', 'ports.id')
    .leftJoin('subnets', 'subnets.id', 'a.subnet_id')
    .select(['ports.id', 'ports.network_id', 'r.port_type', 'a.subnet_id', 'a.ip_address', 'subnets.cidr'])
    .where('r.router_id', '=', routerId)
    .orderBy('ports.standard_attr_id')
    .orderBy('a.subnet_id')
    .orderBy('a.address_key')
    .execute();
  const ports = new Map<string, AttachedPort & { fixedIps: FixedIp[]; subnets: RouterSubnet[] }>();
  for (const { id, network_id: networkId, port_type: type, subnet_id, ip_address, cidr } of rows) {
    const port = ports.get(id) ?? { id, networkId, type, fixedIps: [], subnets: [] };
    ports.set(id, port);
    if (subnet_id === null || ip_address === null || cidr === null) continue;
    port.fixedIps.push({ subnet_id, ip_address });
    if (!port.subnets.some((subnet) => subnet.id === subnet_id))
      port.subnets.push({ id: subnet_id, cidr: storedCidr(subnet_id, cidr) });
  }
  return [...ports.values()];
}

/** Returns the subnets of networks. */
export async function subnetsOfNetworks(
  db: Queries,
  networkIds: readonly string[],
): Promise<readonly (RouterSubnet & { readonly gatewayIp: string | null })[]> {
  if (networkIds.length === 0) return [];
  const rows = await db
    .selectFrom('subnets')
    .select(['id', 'cidr', 'gateway_ip'])
    .where('network_id', 'in', [...networkIds])
    .execute();
  return rows.map(({ id, cidr, gateway_ip: gatewayIp }) => ({ id, cidr: storedCidr(id, cidr), gatewayIp }));
}

const bad = (reason: string) => neutronError('BadRequest', { resource: 'router', reason });

/** Whether a prefix is the placeholder of a subnet whose prefix has not been delegated yet. */
const isProvisional = ({ version, first, prefixLength }: Cidr): boolean =>
  version === 6 && first === 0n && prefixLength === 64;

/**
 * Throws BadRequest if a router already has an address on one of the subnets, or on one that overlaps. A gateway counts with all
 * subnets of its network.
 */
export async function rejectOverlap(
  db: Queries,
  attached: readonly AttachedPort[],
  added: readonly RouterSubnet[],
): Promise<void> {
  const ids = new Set(added.map(({ id }) => id));
  const known = added.filter(({ cidr }) => !isProvisional(cidr));
  const taken = attached.flatMap(({ subnets }) => subnets).find(({ id }) => ids.has(id));
  if (taken) throw bad(`the router already has an interface on subnet ${taken.id}`);
  const gateways = attached.filter(isGateway).map(({ networkId }) => networkId);
  const others = [
    ...attached.filter((port) => !isGateway(port)).flatMap(({ subnets }) => subnets),
    ...(await subnetsOfNetworks(db, gateways)),
  ];
  for (const subnet of known) {
    const other = others.find(({ cidr }) => cidrsOverlap(cidr, subnet.cidr));
    if (!other) continue;
    const [own, theirs] = [formatCidr(subnet.cidr), formatCidr(other.cidr)];
    throw bad(`${own} of subnet ${subnet.id} overlaps ${theirs} of subnet ${other.id} on the same router`);
  }
}
