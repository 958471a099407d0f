import type { Caller } from '../../auth/contract.ts';
import type { Trx } from '../../db/database.ts';
import { parseIp } from '../../net/addresses.ts';
import { DHCP_OWNER } from '../../net/device-owners.ts';
import { neutronError } from '../../resources/errors.ts';
import type { FixedIp } from '../../resources/port-types.ts';
import type { Core } from '../core.ts';
import { type InternalPort, lockInternalPort, requireInternalSubnet } from './internal-port.ts';
import { routerBetween } from './internal-router.ts';

/** A floating IP that is to be associated. */
export interface Associated {
  readonly id: string;
  readonly projectId: string;
  readonly networkId: string;
  readonly address: string;
}

/** The fixed IP that a floating IP leads to. */
export interface Association {
  readonly portId: string;
  readonly fixedIp: string;
  readonly routerId: string;
}

const bad = (reason: string) => neutronError('BadRequest', { resource: 'floatingip', reason });

/** Returns the wanted address of a port, or its only one. Throws BadRequest. */
function chosenAddress({ id, addresses }: InternalPort, wanted: string | null): FixedIp {
  if (wanted !== null) {
    if (parseIp(wanted)?.version !== 4) throw bad(`fixed_ip_address ${wanted} is not an IPv4 address`);
    const found = addresses.find((ip) => ip.ip_address === wanted);
    if (found) return found;
    throw bad(`fixed_ip_address ${wanted} does not belong to port ${id}`);
  }
  const [first, second] = addresses;
  if (!first) throw bad(`port ${id} has no IPv4 address that a floating IP could lead to`);
  if (second) throw bad(`port ${id} has several IPv4 addresses: fixed_ip_address must name one`);
  return first;
}

/** Throws PortHasPortForwarding for a distributed router that forwards ports to the port already. */
async function rejectForwardedPort(trx: Trx, portId: string): Promise<void> {
  const forwarded = await trx
    .selectFrom('portforwardings as p')
    .innerJoin('floatingips as f', 'f.id', 'p.floatingip_id')
    .innerJoin('router_extra_attributes as r', 'r.router_id', 'f.router_id')
    .select('p.id')
    .where('p.internal_neutron_port_id', '=', portId)
    .where('r.distributed', '=', 1)
    .limit(1)
    .executeTakeFirst();
  if (forwarded) throw neutronError('PortHasPortForwarding', { port: portId });
}

/** Throws FloatingIPPortAlreadyAssociated if the fixed IP has another floating IP on this network. */
async function rejectTaken(trx: Trx, floatingIp: Associated, portId: string, fixed: string): Promise<void> {
  const { id, networkId: network, address } = floatingIp;
  const other = await trx
    .selectFrom('floatingips')
    .select('id')
    .where('fixed_port_id', '=', portId)
    .where('fixed_ip_address', '=', fixed)
    .where('floating_network_id', '=', network)
    .where('id', '!=', id)
    .executeTakeFirst();
  if (other) throw neutronError('FloatingIPPortAlreadyAssociated', { address, id, port: portId, fixed, network });
}

/**
 * Returns what a floating IP is associated with: the address of a port, and the router that connects it. Throws NeutronError:
 * PortNotFound, BadRequest, ExternalGatewayForFloatingIPNotFound, FloatingIPPortAlreadyAssociated.
 */
export async function associationWith(
  trx: Trx,
  core: Core,
  caller: Caller,
  floatingIp: Associated,
  { port_id, fixed_ip_address }: { readonly port_id: string; readonly fixed_ip_address: string | null },
): Promise<Association> {
  const port = await lockInternalPort(trx, core, caller, port_id);
  await rejectForwardedPort(trx, port_id);
  if (port.projectId !== floatingIp.projectId && !caller.isAdmin)
    throw bad(`port ${port_id} belongs to another project`);
  if (port.deviceOwner === DHCP_OWNER) throw bad(`port ${port_id} cannot have a floating IP`);
  const { subnet_id: subnet, ip_address: fixedIp } = chosenAddress(port, fixed_ip_address);
  await requireInternalSubnet(trx, caller, subnet);
  const externalNetwork = floatingIp.networkId;
  const router = await routerBetween(trx, core.db, { internalNetwork: port.networkId, subnet, externalNetwork });
  if (!router)
    throw neutronError('ExternalGatewayForFloatingIPNotFound', { network: externalNetwork, subnet, port: port_id });
  if (router.distributed && port.vnicType !== 'normal')
    throw bad('distributed routers need binding:vnic_type normal for floating IPs');
  await rejectTaken(trx, floatingIp, port_id, fixedIp);
  return { portId: port_id, fixedIp, routerId: router.id };
}
