import type { Trx } from '../../db/database.ts';
import { parseIp } from '../../net/addresses.ts';
import { routerInterfaceOwner } from '../../net/device-owners.ts';
import { neutronError } from '../../resources/errors.ts';
import { PORT } from '../../resources/port.ts';
import type { InterfaceInfo } from '../../resources/router-types.ts';
import { SUBNET } from '../../resources/subnet.ts';
import { bumpRevision } from '../../store/standard-attributes.ts';
import { inserted } from '../module.ts';
import { type PortDocument, portDocuments } from '../ports/documents.ts';
import { createServicePort } from '../ports/service-port.ts';
import { updatePort } from '../ports/update.ts';
import { requireVisible, visiblePorts, visibleSubnets } from '../visibility.ts';
import { attachedPorts, hasIpv6, isInterface, rejectOverlap, storedCidr } from './attached.ts';
import { answerOf, changeInterfaces, type InterfaceAnswer, type InterfaceChange } from './interface-change.ts';

const bad = (reason: string) => neutronError('BadRequest', { resource: 'router', reason });

const subnetRows = (trx: Trx, ids: readonly string[]) =>
  trx
    .selectFrom('subnets')
    .select(['id', 'network_id', 'project_id', 'cidr', 'gateway_ip', 'ip_version', 'ipv6_ra_mode', 'ipv6_address_mode'])
    .where('id', 'in', [...ids])
    .execute();

type SubnetRow = Awaited<ReturnType<typeof subnetRows>>[number];

/** Throws BadRequest for a subnet whose router advertisements come from another router. */
function rejectForeignAdvertisements({ id, ip_version, ipv6_ra_mode, ipv6_address_mode }: SubnetRow): void {
  if (ip_version === 6 && ipv6_ra_mode === null && ipv6_address_mode !== null)
    throw bad(`another router advertises IPv6 subnet ${id} (ipv6_address_mode without ipv6_ra_mode)`);
}

const rangeOf = ({ id, cidr }: SubnetRow) => ({ id, cidr: storedCidr(id, cidr) });

/** Records that a port is an interface of the router, which is a change of the port, as in Neutron. */
async function attach({ trx, router }: InterfaceChange, portId: string): Promise<void> {
  const row = { router_id: router.id, port_id: portId, port_type: routerInterfaceOwner(router) };
  await trx.insertInto('routerports').values(row).execute();
  const { standard_attr_id } = await trx
    .selectFrom('ports')
    .select('standard_attr_id')
    .where('id', '=', portId)
    .executeTakeFirstOrThrow();
  await bumpRevision(trx, standard_attr_id);
}

/**
 * Throws BadRequest unless the caller may make a router the gateway of the subnet: it is the caller's, or its network is shared with the
 * caller's project (LP#1757482, LP#1975603: not with all).
 */
async function requireOwnSubnet({ trx, caller }: InterfaceChange, subnet: SubnetRow): Promise<void> {
  if (caller.isAdmin || subnet.project_id === caller.projectId) return;
  const shared = await trx
    .selectFrom('networkrbacs')
    .select('id')
    .where('object_id', '=', subnet.network_id)
    .where('action', '=', 'access_as_shared')
    .where('target_project', '=', caller.projectId)
    .executeTakeFirst();
  if (!shared) throw bad(`subnet ${subnet.id} belongs to another project`);
}

async function addBySubnet(change: InterfaceChange, subnetId: string): Promise<InterfaceAnswer> {
  const { trx, core, allocator, caller, router } = change;
  await requireVisible(trx, caller, SUBNET, subnetId, visibleSubnets);
  const [subnet] = await subnetRows(trx, [subnetId]);
  if (!subnet) throw neutronError('SubnetNotFound', { id: subnetId });
  const { network_id, gateway_ip } = subnet;
  if (gateway_ip === null) throw bad('a subnet needs a gateway_ip to be added by subnet_id');
  await requireOwnSubnet(change, subnet);
  rejectForeignAdvertisements(subnet);
  const attached = await attachedPorts(trx, router.id);
  await rejectOverlap(trx, attached, [rangeOf(subnet)]);
  const address = { subnet_id: subnetId, ip_address: gateway_ip };
  // IPv6 subnets of a network share one port.
  const sharing =
    subnet.ip_version === 6
      ? attached.find((port) => isInterface(port) && port.networkId === network_id && hasIpv6(port))
      : undefined;
  if (sharing) {
    const fixed_ips = [...sharing.fixedIps, address];
    const port = await updatePort(trx, core, allocator, sharing.id, { fixed_ips });
    return answerOf(router, port, [subnetId], subnetId);
  }
  const port = await createServicePort(trx, core, allocator, {
    network_id,
    project_id: router.project_id,
    device_id: router.id,
    device_owner: routerInterfaceOwner(router),
    fixed_ips: [address],
  });
  await attach(change, port.id);
  return answerOf(router, port, [subnetId], subnetId);
}

/** Throws BadRequest if an address is outside the pools of a subnet that is not the caller's: it may be reserved there. */
async function requireInPools({ trx, caller }: InterfaceChange, port: PortDocument, subnets: readonly SubnetRow[]) {
  if (caller.isAdmin) return;
  const foreign = new Set(subnets.filter((s) => s.project_id !== caller.projectId).map(({ id }) => id));
  if (foreign.size === 0) return;
  const pools = await trx
    .selectFrom('ipallocationpools')
    .selectAll()
    .where('subnet_id', 'in', [...foreign])
    .execute();
  for (const { subnet_id, ip_address } of port.fixed_ips) {
    const value = parseIp(ip_address)?.value ?? -1n;
    const inside = pools.some(
      (pool) =>
        pool.subnet_id === subnet_id &&
        (parseIp(pool.first_ip)?.value ?? 0n) <= value &&
        value <= (parseIp(pool.last_ip)?.value ?? -1n),
    );
    if (foreign.has(subnet_id) && !inside)
      throw bad(
        `port ${port.id} has an address outside the allocation pools of subnet ${subnet_id}, which belongs to another project`,
      );
  }
}

async function addByPort(change: InterfaceChange, portId: string): Promise<InterfaceAnswer> {
  const { trx, core, allocator, caller, router } = change;
  await requireVisible(trx, caller, PORT, portId, visiblePorts);
  await core.db.locked(trx.selectFrom('ports').select('id').where('id', '=', portId)).execute();
  const port = inserted((await portDocuments(trx, core.config, [portId])).get(portId), 'port', portId);
  const { network_id, device_id, fixed_ips } = port;
  if (device_id !== '') throw neutronError('PortInUse', { port: portId, network: network_id, device: device_id });
  if (fixed_ips.length === 0) throw bad('a router interface needs at least one fixed IP');
  const subnets = await subnetRows(trx, [...new Set(fixed_ips.map(({ subnet_id }) => subnet_id))]);
  for (const subnet of subnets) rejectForeignAdvertisements(subnet);
  const attached = await attachedPorts(trx, router.id);
  if (subnets.some(({ ip_version }) => ip_version === 6)) {
    const other = attached.find((one) => one.networkId === network_id && hasIpv6(one));
    if (other)
      throw bad(`port ${other.id} is already the interface of the router for IPv6 subnets of network ${network_id}`);
  }
  await rejectOverlap(trx, attached, subnets.map(rangeOf));
  if (subnets.filter(({ ip_version }) => ip_version === 4).length > 1)
    throw bad('a router interface can have one IPv4 subnet only');
  await requireInPools(change, port, subnets);
  const device = { device_id: router.id, device_owner: routerInterfaceOwner(router) };
  const updated = await updatePort(trx, core, allocator, portId, device);
  await attach(change, portId);
  const ids = [...new Set(fixed_ips.map(({ subnet_id }) => subnet_id))];
  return answerOf(router, updated, ids, ids.at(-1));
}

/**
 * Attaches a subnet to a router by a new port with the subnet's gateway address, or an existing port with its own addresses. Throws
 * NeutronError: SubnetNotFound, PortNotFound, PortInUse, BadRequest, IpAddressAlreadyAllocated, ...
 */
export const addInterface = (
  of: Omit<InterfaceChange, 'router'>,
  routerId: string,
  { port_id, subnet_id = '' }: InterfaceInfo,
): Promise<InterfaceAnswer> =>
  changeInterfaces(of, routerId, (change) =>
    port_id === undefined ? addBySubnet(change, subnet_id) : addByPort(change, port_id),
  );
