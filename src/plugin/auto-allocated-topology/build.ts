import type { Caller } from '../../auth/contract.ts';
import type { Trx } from '../../db/database.ts';
import type { AddressAllocator } from '../../ipam/allocate.ts';
import { type ErrorType, NeutronError } from '../../resources/errors.ts';
import { NETWORK } from '../../resources/network.ts';
import { ROUTER } from '../../resources/router.ts';
import { SUBNET } from '../../resources/subnet.ts';
import { validateCreate } from '../../resources/validate.ts';
import type { Core } from '../core.ts';
import { createNetwork } from '../networks/create.ts';
import { deleteNetwork } from '../networks/delete.ts';
import type { Quotas } from '../quotas/limits.ts';
import { attachedPorts, isInterface } from '../routers/attached.ts';
import { createRouter } from '../routers/create.ts';
import { deleteRouter } from '../routers/delete.ts';
import { addInterface } from '../routers/interface-add.ts';
import { removeInterface } from '../routers/interface-remove.ts';
import { createSubnet } from '../subnets/create.ts';
import { allocationFailure, defaultPools } from './requirements.ts';

/** What building and removing a topology needs. */
export interface Building {
  readonly trx: Trx;
  readonly core: Core;
  readonly allocator: AddressAllocator;
  readonly quotas: Quotas;
  readonly caller: Caller;
}

/** Errors of the deployment that are not the caller's. */
const DEPLOYMENT: readonly ErrorType[] = [
  'SubnetAllocationError',
  'SubnetPoolQuotaExceeded',
  'IpAddressGenerationFailure',
];

/** Runs a step of the building; what it lacks is reported as AutoAllocationFailure. */
async function step<T>(reason: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof NeutronError)) throw error;
    if (error.status === 400 || error.status === 404 || DEPLOYMENT.includes(error.type))
      throw allocationFailure(reason);
    throw error;
  }
}

async function buildNetwork({ trx, core, allocator, quotas, caller }: Building, project_id: string) {
  const pools = await defaultPools(trx, caller);
  if (pools.length === 0) throw allocationFailure('the network of the project cannot be made');
  await quotas.reserve(trx, { resource: NETWORK }, project_id, 1);
  await quotas.reserve(trx, { resource: SUBNET }, project_id, pools.length);
  const wanted = { name: 'auto_allocated_network', project_id };
  const { id: network_id } = await createNetwork(trx, core, validateCreate(NETWORK, wanted, project_id));
  const subnets: string[] = [];
  for (const { id, version } of pools) {
    const subnet = {
      name: `auto_allocated_subnet_v${version}`,
      network_id,
      project_id,
      ip_version: version,
      subnetpool_id: id,
    };
    const { id: made } = await createSubnet(trx, core, allocator, caller, validateCreate(SUBNET, subnet, project_id));
    subnets.push(made);
  }
  return { network_id, subnets };
}

async function buildRouter(building: Building, project_id: string, external: string, subnets: readonly string[]) {
  const { trx, core, allocator, quotas, caller } = building;
  await quotas.reserve(trx, { resource: ROUTER }, project_id, 1);
  const wanted = { name: 'auto_allocated_router', project_id, external_gateway_info: { network_id: external } };
  const router = await createRouter(trx, core, allocator, caller, validateCreate(ROUTER, wanted, project_id));
  for (const subnet_id of subnets) await addInterface(building, router.id, { subnet_id });
  return router.id;
}

/**
 * Builds the topology of a project in the caller's transaction; returns false if another request has built one meanwhile: then the
 * transaction must be rolled back. Throws AutoAllocationFailure and OverQuota.
 */
export async function buildTopology(building: Building, project_id: string, external: string): Promise<boolean> {
  const { network_id, subnets } = await step('the network of the project cannot be made', () =>
    buildNetwork(building, project_id),
  );
  const router_id = await step('the router to the external network cannot be made', () =>
    buildRouter(building, project_id, external, subnets),
  );
  const { numInsertedOrUpdatedRows } = await building.trx
    .insertInto('auto_allocated_topologies')
    .ignore()
    .values({ project_id, network_id, router_id })
    .executeTakeFirst();
  return (numInsertedOrUpdatedRows ?? 0n) > 0n;
}

/** Removes a topology in the caller's transaction. Throws the errors of what is in use. */
export async function removeTopology(
  building: Omit<Building, 'quotas'>,
  { network_id, router_id }: { readonly network_id: string; readonly router_id: string | null },
): Promise<void> {
  const { trx, core } = building;
  if (router_id !== null) {
    const interfaces = (await attachedPorts(trx, router_id)).filter(isInterface);
    for (const { id, networkId } of interfaces)
      if (networkId === network_id) await removeInterface(building, router_id, { port_id: id });
    await deleteRouter(trx, core, router_id);
  }
  await deleteNetwork(trx, core, network_id);
}
