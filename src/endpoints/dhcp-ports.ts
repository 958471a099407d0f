import type { Trx } from '../db/database.ts';
import type { AddressAllocator } from '../ipam/allocate.ts';
import { DHCP_OWNER } from '../net/device-owners.ts';
import { dhcpDeviceId, RESERVED_DHCP_PORT } from '../net/dhcp-device-id.ts';
import type { Core } from '../plugin/core.ts';
import { lockNetwork } from '../plugin/networks/lock.ts';
import { createPort } from '../plugin/ports/create.ts';
import { deletePort } from '../plugin/ports/delete.ts';
import { type PortDocument, portDocuments } from '../plugin/ports/documents.ts';
import { updatePort } from '../plugin/ports/update.ts';
import { type ErrorType, NeutronError, neutronError } from '../resources/errors.ts';
import { PORT } from '../resources/port.ts';
import { validateCreate, validateUpdate } from '../resources/validate.ts';
import { DHCP_AGENTS } from '../scheduler/agent-kinds.ts';
import { isHostedOn } from '../scheduler/bindings.ts';

/**
 * The ports that DHCP agents create for themselves, one per network and agent. If the network, a subnet or the agent's binding
 * to the network no longer exists, the result is null, and the agent reads the network again.
 */

/** Errors that only mean that the agent's state is outdated. */
const GONE: readonly ErrorType[] = ['NetworkNotFound', 'SubnetNotFound', 'PortNotFound'];

type Body = Readonly<Record<string, unknown>>;

async function nullIfGone<T>(core: Core, host: string, work: Promise<T>): Promise<T | null> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof NeutronError) || !GONE.includes(error.type)) throw error;
    core.log.info({ host, reason: error.message }, 'a DHCP agent requested a port with outdated state');
    return null;
  }
}

function textOf(body: Body, name: string): string {
  const value = body[name];
  if (typeof value !== 'string' || value === '') throw neutronError('InvalidInput', { reason: `port has no ${name}` });
  return value;
}

/**
 * Creates the agent's port on a network, bound to its host. Returns the port that it already has there (by device_id), so that
 * a repeated call creates no second one; null if the network or a subnet no longer exists, or the agent does not host the
 * network.
 */
export function createDhcpPort(
  core: Core,
  allocator: AddressAllocator,
  body: Body,
  host: string,
): Promise<PortDocument | null> {
  const networkId = textOf(body, 'network_id');
  const deviceId = textOf(body, 'device_id');
  const make = async (trx: Trx): Promise<PortDocument | null> => {
    // Concurrent calls for one port are serialized here: the second sees the port of the first.
    const network = await lockNetwork(trx, core.db, networkId);
    const own = await trx
      .selectFrom('ports')
      .innerJoin('ml2_port_bindings as b', (join) =>
        join.onRef('b.port_id', '=', 'ports.id').on('b.status', '=', 'ACTIVE'),
      )
      .select(['ports.id', 'b.host'])
      .where('network_id', '=', networkId)
      .where('device_id', '=', deviceId)
      .where('device_owner', '=', DHCP_OWNER)
      .executeTakeFirst();
    if (own?.host === host) return (await portDocuments(trx, core.config, [own.id])).get(own.id) ?? null;
    if (own) return updatePort(trx, core, allocator, own.id, { 'binding:host_id': host });
    if (!(await isHostedOn(trx, DHCP_AGENTS, networkId, host))) {
      core.log.info({ host, network: networkId }, 'a DHCP agent requested a port on a network that it does not host');
      return null;
    }
    const wanted = { ...body, device_owner: DHCP_OWNER, 'binding:host_id': host };
    return createPort(trx, core, allocator, validateCreate(PORT, wanted, network.project_id));
  };
  return nullIfGone(core, host, core.db.transaction(make));
}

/**
 * Updates the agent's port, or assigns it a port that was reserved for the next agent of the network. Returns null if the port no
 * longer exists or belongs to another agent, a subnet no longer exists, or the agent does not host the network.
 */
export function updateDhcpPort(
  core: Core,
  allocator: AddressAllocator,
  portId: string,
  body: Body,
  host: string,
): Promise<PortDocument | null> {
  const { network_id: named, ...wanted } = body;
  const change = async (trx: Trx): Promise<PortDocument | null> => {
    const port = await trx
      .selectFrom('ports')
      .select(['network_id', 'device_id', 'device_owner'])
      .where('id', '=', portId)
      .executeTakeFirst();
    if (!port || port.device_owner !== DHCP_OWNER || (named !== undefined && named !== port.network_id)) return null;
    const own = dhcpDeviceId(host, port.network_id);
    // Agents since 2023.1 have a port on each segment of a host: its device_id ends with the segmentation id.
    const mine = port.device_id === own || port.device_id.startsWith(`${own}-`);
    if (!mine && port.device_id !== RESERVED_DHCP_PORT) return null;
    if (!(await isHostedOn(trx, DHCP_AGENTS, port.network_id, host))) {
      core.log.info(
        { host, network: port.network_id },
        'a DHCP agent tried to update a port on a network that it does not host',
      );
      return null;
    }
    const changes = validateUpdate(PORT, { ...wanted, 'binding:host_id': host });
    try {
      return await updatePort(trx, core, allocator, portId, changes);
    } catch (error) {
      // Reserved by an agent on another segment: agents then try the next reserved port, or request a new one.
      const elsewhere = error instanceof NeutronError && error.type === 'HostNotCompatibleWithFixedIps';
      if (elsewhere && port.device_id === RESERVED_DHCP_PORT) throw neutronError('DhcpPortInUse', { id: portId });
      throw error;
    }
  };
  return nullIfGone(core, host, core.db.transaction(change));
}

/** Deletes the DHCP ports of a network with this device_id, if any. */
export function releaseDhcpPort(core: Core, networkId: string, deviceId: string): Promise<void> {
  return core.db.transaction(async (trx) => {
    const rows = await trx
      .selectFrom('ports')
      .select('id')
      .where('network_id', '=', networkId)
      .where('device_id', '=', deviceId)
      .where('device_owner', '=', DHCP_OWNER)
      .execute();
    for (const { id } of rows) await deletePort(trx, id);
  });
}
