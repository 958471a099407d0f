import type { Caller } from '../../auth/contract.ts';
import type { Trx } from '../../db/database.ts';
import { isRouterInterface } from '../../net/device-owners.ts';
import { neutronError } from '../../resources/errors.ts';

/** Protects the ports of routers from changes by the API of ports, and routers from ports that pretend to be theirs. */

interface Device {
  readonly device_id?: string;
  readonly device_owner?: string;
}

const routerOf = (trx: Trx, portId: string) =>
  trx
    .selectFrom('routerports')
    .innerJoin('ports', 'ports.id', 'routerports.port_id')
    .select(['ports.device_id', 'ports.device_owner'])
    .where('port_id', '=', portId)
    .executeTakeFirst();

/** Throws ServicePortInUse for a port of a router with addresses: its router removes it. */
export async function requireDeletable(trx: Trx, portId: string): Promise<void> {
  const port = await routerOf(trx, portId);
  if (!port) return;
  const address = await trx
    .selectFrom('ipallocations')
    .select('subnet_id')
    .where('port_id', '=', portId)
    .limit(1)
    .executeTakeFirst();
  if (address) throw neutronError('ServicePortInUse', { id: portId, reason: `has device owner ${port.device_owner}` });
}

/** Throws ServicePortInUse if the port of a router would be given to another device. */
export async function requireSameDevice(trx: Trx, portId: string, changes: Device): Promise<void> {
  if (changes.device_id === undefined && changes.device_owner === undefined) return;
  const port = await routerOf(trx, portId);
  if (!port) return;
  const { device_id = port.device_id, device_owner = port.device_owner } = changes;
  if (device_id !== port.device_id || device_owner !== port.device_owner)
    throw neutronError('ServicePortInUse', {
      id: portId,
      reason: `has device owner ${port.device_owner}, and belongs to router ${port.device_id}`,
    });
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
  if (changes.device_id === undefined && changes.device_owner === undefined) return;
  const port = await trx
    .selectFrom('ports')
    .select(['project_id', 'device_id', 'device_owner'])
    .where('id', '=', portId)
    .executeTakeFirst();
  if (!port) return;
  const { device_id = port.device_id, device_owner = port.device_owner } = changes;
  await requireOwnRouter(trx, caller, port.project_id, { device_id, device_owner });
}
