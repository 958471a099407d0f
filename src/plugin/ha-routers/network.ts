import type { Caller } from '../../auth/contract.ts';
import type { Trx } from '../../db/database.ts';
import type { AddressAllocator } from '../../ipam/allocate.ts';
import { neutronError } from '../../resources/errors.ts';
import { NETWORK } from '../../resources/network.ts';
import { SUBNET } from '../../resources/subnet.ts';
import { validateCreate } from '../../resources/validate.ts';
import type { Core } from '../core.ts';
import { createNetwork } from '../networks/create.ts';
import { deleteNetwork } from '../networks/delete.ts';
import { portsInUse } from '../ports/of-network.ts';
import { createSubnet } from '../subnets/create.ts';

/** The HA network belongs to no project: members neither see nor change it. */
const NOBODY = '';

/** Who creates HA networks: the server itself, whoever has asked for the router. */
const SERVER: Caller = {
  ...{ userId: '', projectId: NOBODY, domainId: '', userDomainId: '', projectDomainId: '', requestId: '' },
  ...{ roles: ['admin'], serviceRoles: [], systemScope: false, isAdmin: true, isAdvsvc: false },
};

/** Requests that may create and delete the network of a project at the same time, one after the other. */
const TRIES = 8;

/** Creates a network with the subnet on which the routers of a project watch each other; returns its id. */
async function createHaNetwork(trx: Trx, core: Core, allocator: AddressAllocator, project: string): Promise<string> {
  const { l3_ha_net_cidr: cidr, l3_ha_network_type: type, l3_ha_network_physical_name: physical } = core.config.DEFAULT;
  const network = {
    name: `HA network tenant ${project}`,
    project_id: NOBODY,
    ...(type === '' ? {} : { 'provider:network_type': type }),
    ...(physical === '' ? {} : { 'provider:physical_network': physical }),
  };
  const { id } = await createNetwork(trx, core, validateCreate(NETWORK, network, NOBODY));
  const subnet = {
    ...{ name: `HA subnet tenant ${project}`, network_id: id, ip_version: 4, cidr },
    ...{ enable_dhcp: false, gateway_ip: null, project_id: NOBODY },
  };
  await createSubnet(trx, core, allocator, SERVER, validateCreate(SUBNET, subnet, NOBODY));
  return id;
}

/**
 * Returns the HA network of a project, which is created with its first highly available router, and locks it until the transaction
 * ends: it is not deleted meanwhile. Throws HANetworkConcurrentDeletion, and errors of creating networks and subnets.
 */
export async function lockedHaNetwork(
  trx: Trx,
  core: Core,
  allocator: AddressAllocator,
  project: string,
): Promise<string> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const known = await haNetworkOf(trx, project);
    if (known !== undefined) {
      if (await lock(trx, core, known)) return known;
      continue;
    }
    const id = await createHaNetwork(trx, core, allocator, project);
    const { numInsertedOrUpdatedRows } = await trx
      .insertInto('ha_router_networks')
      .ignore()
      .values({ project_id: project, network_id: id })
      .executeTakeFirstOrThrow();
    if ((numInsertedOrUpdatedRows ?? 0n) > 0n) return id;
    // Another request has created one meanwhile: the key decides.
    await deleteNetwork(trx, core, id);
  }
  throw neutronError('HANetworkConcurrentDeletion', { project });
}

/** Returns the HA network of a project; undefined if it has none. */
export const haNetworkOf = async (trx: Trx, project: string): Promise<string | undefined> =>
  (await trx.selectFrom('ha_router_networks').select('network_id').where('project_id', '=', project).executeTakeFirst())
    ?.network_id;

/** Locks a network until the transaction ends; returns whether it exists. */
export const lock = async (trx: Trx, { db }: Core, id: string): Promise<boolean> =>
  (await db.locked(trx.selectFrom('networks').select('id').where('id', '=', id)).executeTakeFirst()) !== undefined;

/** Deletes the HA network of a project, which is locked, unless routers still use it, or ports that somebody else has created. */
export async function deleteUnusedHaNetwork(trx: Trx, core: Core, id: string): Promise<void> {
  const used = await trx
    .selectFrom('ha_router_vrid_allocations')
    .select('vr_id')
    .where('network_id', '=', id)
    .limit(1)
    .executeTakeFirst();
  if (!used && (await portsInUse(trx, id)).length === 0) await deleteNetwork(trx, core, id);
}
