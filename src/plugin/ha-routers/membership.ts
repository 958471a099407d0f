import type { Trx } from '../../db/database.ts';
import type { AddressAllocator } from '../../ipam/allocate.ts';
import { neutronError } from '../../resources/errors.ts';
import type { Core } from '../core.ts';
import { deletePort } from '../ports/delete.ts';
import { deleteUnusedHaNetwork, haNetworkOf, lock, lockedHaNetwork } from './network.ts';

/** A highly available router. */
interface HaRouter {
  readonly id: string;
  readonly project_id: string;
}

/** VRIDs are bytes, and 0 is none (RFC 5798, section 5.2.3); Neutron leaves out 255, too. */
const MAX_VRID = 254;

/** Allocates a random free VRID on a network, which is locked. Throws NoVRIDAvailable. */
async function allocateVrid(trx: Trx, network: string, router: string): Promise<number> {
  const rows = await trx
    .selectFrom('ha_router_vrid_allocations')
    .select('vr_id')
    .where('network_id', '=', network)
    .execute();
  const taken = new Set(rows.map((row) => row.vr_id));
  const free = Array.from({ length: MAX_VRID }, (_, index) => index + 1).filter((id) => !taken.has(id));
  const vr_id = free[Math.floor(Math.random() * free.length)];
  if (vr_id === undefined) throw neutronError('NoVRIDAvailable', { router, max: MAX_VRID });
  await trx.insertInto('ha_router_vrid_allocations').values({ network_id: network, vr_id }).execute();
  return vr_id;
}

/**
 * Allocates a VRID on the HA network of the project for a router that is or becomes highly available, unless it has one. The first
 * router also causes the network to be created. Returns the id of the network. Throws NoVRIDAvailable, and errors of creating networks.
 */
export async function joinHaNetwork(
  trx: Trx,
  core: Core,
  allocator: AddressAllocator,
  { id, project_id: project }: HaRouter,
): Promise<string> {
  const network = await lockedHaNetwork(trx, core, allocator, project);
  const { ha_vr_id: vrid } = await trx
    .selectFrom('router_extra_attributes')
    .select('ha_vr_id')
    .where('router_id', '=', id)
    .executeTakeFirstOrThrow();
  if (vrid !== null) return network;
  const ha_vr_id = await allocateVrid(trx, network, id);
  await trx.updateTable('router_extra_attributes').set({ ha_vr_id }).where('router_id', '=', id).execute();
  return network;
}

/**
 * Deletes the HA ports of a router that is deleted, or no longer highly available, and releases its VRID; deletes the HA network
 * with the last router of the project.
 */
export async function leaveHaNetwork(trx: Trx, core: Core, { id, project_id: project }: HaRouter): Promise<void> {
  const ports = await trx
    .selectFrom('ha_router_agent_port_bindings')
    .select('port_id')
    .where('router_id', '=', id)
    .execute();
  for (const { port_id } of ports) await deletePort(trx, port_id);
  const { ha_vr_id: vrid } = await trx
    .selectFrom('router_extra_attributes')
    .select('ha_vr_id')
    .where('router_id', '=', id)
    .executeTakeFirstOrThrow();
  const network = await haNetworkOf(trx, project);
  if (network === undefined || !(await lock(trx, core, network))) return;
  if (vrid !== null)
    await trx
      .deleteFrom('ha_router_vrid_allocations')
      .where('network_id', '=', network)
      .where('vr_id', '=', vrid)
      .execute();
  await trx.updateTable('router_extra_attributes').set({ ha_vr_id: null }).where('router_id', '=', id).execute();
  await deleteUnusedHaNetwork(trx, core, network);
}
