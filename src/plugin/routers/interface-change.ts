import type { Caller } from '../../auth/contract.ts';
import type { Trx } from '../../db/database.ts';
import type { AddressAllocator } from '../../ipam/allocate.ts';
import { bumpRevision } from '../../store/standard-attributes.ts';
import type { Core } from '../core.ts';
import type { PortDocument } from '../ports/documents.ts';
import { enqueueRouterUpdate } from '../router-events.ts';
import { type LockedRouter, lockRouter } from '../router-lock.ts';

/** What changes of a router's interfaces need. The router is locked. */
export interface InterfaceChange {
  readonly trx: Trx;
  readonly core: Core;
  readonly allocator: AddressAllocator;
  readonly caller: Caller;
  readonly router: LockedRouter;
}

/** The response of add_router_interface and remove_router_interface. */
export interface InterfaceAnswer {
  readonly id: string;
  readonly tenant_id: string;
  readonly port_id: string;
  readonly network_id: string;
  readonly subnet_id: string;
  readonly subnet_ids: readonly string[];
}

/** Returns the response for a port and its subnets. `shown`: the only one that old clients know. */
export const answerOf = (
  { id }: LockedRouter,
  port: Pick<PortDocument, 'id' | 'network_id' | 'tenant_id'>,
  subnets: readonly string[],
  shown: string | undefined,
): InterfaceAnswer => ({
  id,
  tenant_id: port.tenant_id,
  port_id: port.id,
  network_id: port.network_id,
  subnet_id: shown ?? '',
  subnet_ids: subnets,
});

/** Locks the router, changes its interfaces, records the change and notifies its agents. Throws RouterNotFound. */
export async function changeInterfaces(
  of: Omit<InterfaceChange, 'router'>,
  routerId: string,
  work: (change: InterfaceChange) => Promise<InterfaceAnswer>,
): Promise<InterfaceAnswer> {
  const { trx, core } = of;
  const router = await lockRouter(trx, core.db, routerId);
  const answer = await work({ ...of, router });
  await bumpRevision(trx, router.standard_attr_id);
  await enqueueRouterUpdate(trx, routerId);
  return answer;
}
