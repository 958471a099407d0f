import type { Trx } from '../../db/database.ts';
import { neutronError } from '../../resources/errors.ts';
import { ROUTER } from '../../resources/router.ts';
import { EVENTS } from '../../rpc/events.ts';
import { deletePlain } from '../../store/rows.ts';
import { requireRevision } from '../../store/standard-attributes.ts';
import type { Core } from '../core.ts';
import { enqueueNotification } from '../events.ts';
import { leaveHaNetwork } from '../ha-routers/membership.ts';
import { deletePort } from '../ports/delete.ts';
import { lockRouter } from '../router-lock.ts';
import { attachedPorts, isInterface } from './attached.ts';
import { requireGatewayUnused } from './in-use.ts';

const SHOWN = 20;

/**
 * Deletes a router with its gateways in the caller's transaction, and notifies agents. Throws RouterNotFound, RouterInUse, RouterExternalGatewayInUseByFloatingIp,
 * RevisionNumberConstraintFailed.
 */
export async function deleteRouter(trx: Trx, core: Core, id: string, revision?: number): Promise<void> {
  const router = await lockRouter(trx, core.db, id);
  await requireRevision(trx, router.standard_attr_id, revision);
  const attached = await attachedPorts(trx, id);
  const interfaces = attached.filter(isInterface).map((port) => port.id);
  if (interfaces.length > 0)
    throw neutronError('RouterInUse', {
      id,
      reason: `cannot be deleted because it has interfaces: ${interfaces.slice(0, SHOWN).join(', ')}`,
    });
  for (const port of attached) await requireGatewayUnused(trx, id, port);
  for (const port of attached) await deletePort(trx, port.id);
  if (router.ha) await leaveHaNetwork(trx, core, router);
  await deletePlain(trx, ROUTER, id);
  await enqueueNotification(trx, EVENTS.router_deleted, { router_id: id }, { router: id });
}
