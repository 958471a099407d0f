import type { Caller } from '../../auth/contract.ts';
import type { Trx } from '../../db/database.ts';
import { prepared } from '../../db/prepared.ts';
import { parseIp } from '../../net/addresses.ts';
import { isRouterInterface, isRouterSubnetPort, ROUTER_HA_INTERFACE_OWNER } from '../../net/device-owners.ts';
import { neutronError } from '../../resources/errors.ts';
import type { WantedFixedIp } from '../../resources/port-types.ts';
import { EVENTS } from '../../rpc/events.ts';
import { enqueueNotification } from '../events.ts';
import type { NetworkFacts } from './network-facts.ts';

/** Protects the ports of routers and floating IPs from changes by the API of ports, and routers from ports that pretend to be theirs. */

interface Device {
  readonly device_id?: string;
  readonly device_owner?: string;
}

// Prepared, because every update of a device and every deletion of a port asks.
const owned = prepared<{ id: string }, Required<Device>>((db, p) =>
  db
    .selectFrom('ports')
    .leftJoin('routerports as r', 'r.port_id', 'ports.id')
    .leftJoin('floatingips as f', 'f.floating_port_id', 'ports.id')
    .select(['ports.device_id', 'ports.device_owner'])
    .where('ports.id', '=', p('id'))
    .where((eb) => eb.or([eb('r.router_id', 'is not', null), eb('f.id', 'is not', null)])),
);

/** Returns the device of a port that belongs to a router or holds the address of a floating IP. */
const routerOf = async (trx: Trx, id: string): Promise<Required<Device> | undefined> =>
  (await owned(trx, { id })).rows[0];

/** Throws ServicePortInUse for a port of a router or floating IP that has addresses: it is removed with that. */
export async function requireDeletable(trx: Trx, portId: string): Promise<void> {
  const port = await routerOf(trx, portId);
  // As in Neutron, an administrator may delete the ports by which agents watch each other.
  if (!port || port.device_owner === ROUTER_HA_INTERFACE_OWNER) return;
  const address = await trx
    .selectFrom('ipallocations')
    .select('subnet_id')
    .where('port_id', '=', portId)
    .limit(1)
    .executeTakeFirst();
  if (address) throw neutronError('ServicePortInUse', { id: portId, reason: `has device owner ${port.device_owner}` });
}

/** Throws ServicePortInUse if the port of a router or floating IP would be given to another device. */
export async function requireSameDevice(trx: Trx, portId: string, changes: Device): Promise<void> {
  if (changes.device_id === undefined && changes.device_owner === undefined) return;
  const port = await routerOf(trx, portId);
  if (!port) return;
  const { device_id = port.device_id, device_owner = port.device_owner } = changes;
  if (device_id !== port.device_id || device_owner !== port.device_owner)
    throw neutronError('ServicePortInUse', {
      id: portId,
      reason: `has device owner ${port.device_owner}, and belongs to ${port.device_id}`,
    });
}

/**
 * Throws IPAddressChangeNotAllowed if IPv4 addresses of an interface of a router would be added or removed: hosts use them as their
 * gateway.
 */
export async function requireSameIpv4(
  trx: Trx,
  { id, device_owner: owner }: { readonly id: string; readonly device_owner: string },
  changed: readonly WantedFixedIp[],
  { subnets }: NetworkFacts,
): Promise<void> {
  if (!isRouterSubnetPort(owner)) return;
  const isV4 = ({ ip_address: ip, subnet_id: subnet }: WantedFixedIp): boolean =>
    (ip === undefined ? subnets.find((one) => one.id === subnet)?.ipVersion : parseIp(ip)?.version) === 4;
  if (changed.some(isV4) && (await routerOf(trx, id))) throw neutronError('IPAddressChangeNotAllowed', { id });
}

/** Notifies the agents of a router that the addresses of one of its ports have changed. */
export async function notifyRouterOfAddresses(
  trx: Trx,
  { id, device_id: router }: { readonly id: string; readonly device_id: string },
  changes: { readonly fixed_ips?: unknown },
): Promise<void> {
  if (changes.fixed_ips !== undefined && (await routerOf(trx, id)))
    await enqueueNotification(trx, EVENTS.routers_updated, { router_id: router, has_ports: true }, { router });
}

/**
 * Throws DeviceIDNotOwnedByTenant if a router interface would belong to the router of a project other than the port's
 * (CVE-2014-0056).
 */
export async function requireOwnRouter(
  trx: Trx,
  caller: Caller,
  projectId: string,
  { device_id: id = '', device_owner: owner = '' }: Device,
): Promise<void> {
  if (caller.isAdmin || id === '' || !isRouterInterface(owner)) return;
  const router = await trx.selectFrom('routers').select('project_id').where('id', '=', id).executeTakeFirst();
  if (router && router.project_id !== projectId) throw neutronError('DeviceIDNotOwnedByTenant', { id });
}

/** As `requireOwnRouter`, for changes of a port. */
export async function requireOwnRouterChange(trx: Trx, caller: Caller, portId: string, changes: Device): Promise<void> {
  if (caller.isAdmin || (changes.device_id === undefined && changes.device_owner === undefined)) return;
  const port = await trx
    .selectFrom('ports')
    .select(['project_id', 'device_id', 'device_owner'])
    .where('id', '=', portId)
    .executeTakeFirst();
  if (!port) return;
  const { device_id = port.device_id, device_owner = port.device_owner } = changes;
  await requireOwnRouter(trx, caller, port.project_id, { device_id, device_owner });
}
