import type { Caller } from '../../auth/contract.ts';
import type { Trx } from '../../db/database.ts';
import { neutronError } from '../../resources/errors.ts';
import type { FixedIp } from '../../resources/port-types.ts';
import type { Core } from '../core.ts';
import { type InternalPort, lockInternalPort, requireInternalSubnet } from '../floatingips/internal-port.ts';
import { routerBetween } from '../floatingips/internal-router.ts';
import type { LockedFloatingIp } from '../floatingips/lock.ts';
import { badForwarding, checkRelation, type PortRange, rangeText } from './ranges.ts';

/** A port forwarding that a floating IP is to have. */
export interface Forwarding {
  readonly id: string;
  readonly protocol: string;
  readonly portId: string;
  /** Absent: the first IPv4 address of the port. */
  readonly address: string | undefined;
  readonly internal: PortRange;
  readonly external: PortRange;
}

/** Throws BadRequest if other port forwardings use the same external ports, or lead to the same internal ones. */
async function rejectCollisions(trx: Trx, floatingIpId: string, wanted: Forwarding, address: string): Promise<void> {
  const { id, protocol, portId, internal, external } = wanted;
  const others = trx
    .selectFrom('portforwardings')
    .selectAll()
    .where('protocol', '=', protocol)
    .where('id', '!=', id)
    .limit(1);
  const inside = await others
    .where('internal_neutron_port_id', '=', portId)
    .where('internal_ip_address', '=', address)
    .where('internal_port_start', '<=', internal.last)
    .where('internal_port_end', '>=', internal.first)
    .executeTakeFirst();
  if (inside)
    throw collision('internal', internal, { first: inside.internal_port_start, last: inside.internal_port_end });
  const outside = await others
    .where('floatingip_id', '=', floatingIpId)
    .where('external_port_start', '<=', external.last)
    .where('external_port_end', '>=', external.first)
    .executeTakeFirst();
  if (outside)
    throw collision('external', external, { first: outside.external_port_start, last: outside.external_port_end });
}

const collision = (side: string, wanted: PortRange, other: PortRange) =>
  badForwarding(`${side}_port_range ${rangeText(wanted)} overlaps ${rangeText(other)} of another port forwarding`);

/** Throws PortHasBindingFloatingIP if the internal port has a floating IP of its own. */
async function rejectAssociatedPort(trx: Trx, portId: string, fixed: string): Promise<void> {
  const own = await trx
    .selectFrom('floatingips')
    .select(['id', 'floating_ip_address as address'])
    .where('fixed_port_id', '=', portId)
    .limit(1)
    .executeTakeFirst();
  if (own) throw neutronError('PortHasBindingFloatingIP', { ...own, port: portId, fixed });
}

function chosenAddress({ id, addresses }: InternalPort, wanted: string | undefined): FixedIp {
  const [first] = addresses;
  if (!first) throw badForwarding(`internal port ${id} has no IPv4 address`);
  const found = wanted === undefined ? first : addresses.find((ip) => ip.ip_address === wanted);
  if (found) return found;
  const own = addresses.map((ip) => ip.ip_address).join(', ');
  throw badForwarding(`internal_ip_address ${wanted} is none of the IPv4 addresses of port ${id}: ${own}`);
}

/**
 * Checks a port forwarding of a locked floating IP, and locks its internal port and its router. Returns the internal address and the
 * router. Throws NeutronError: PortNotFound, BadRequest, PortHasBindingFloatingIP, FloatingIPPortAlreadyAssociated.
 */
export async function checkForwarding(
  trx: Trx,
  core: Core,
  caller: Caller,
  floatingIp: LockedFloatingIp,
  wanted: Forwarding,
): Promise<{ readonly address: string; readonly routerId: string }> {
  const { id, floating_network_id: network } = floatingIp;
  const { portId } = wanted;
  checkRelation(wanted.internal, wanted.external);
  const port = await lockInternalPort(trx, core, caller, portId);
  const { ip_address: address, subnet_id: subnet } = chosenAddress(port, wanted.address);
  await rejectCollisions(trx, id, wanted, address);
  await rejectAssociatedPort(trx, portId, address);
  if (floatingIp.fixed_port_id !== null)
    throw neutronError('FloatingIPPortAlreadyAssociated', {
      address: floatingIp.floating_ip_address,
      id,
      port: portId,
      fixed: address,
      network,
    });
  await requireInternalSubnet(trx, caller, subnet);
  const between = { internalNetwork: port.networkId, subnet, externalNetwork: network };
  const router = await routerBetween(trx, core.db, between);
  if (!router)
    throw badForwarding(
      `no router connects network ${network} of floating IP ${id} with subnet ${subnet} of port ${portId}`,
    );
  const present = floatingIp.router_id;
  if (present !== null && present !== router.id)
    throw badForwarding(`router ${present} of floating IP ${id} does not reach port ${portId}`);
  return { address, routerId: router.id };
}
