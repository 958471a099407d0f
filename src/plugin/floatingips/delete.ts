import type { Database, Trx } from '../../db/database.ts';
import { neutronError } from '../../resources/errors.ts';
import { FLOATINGIP } from '../../resources/floatingip.ts';
import { deletePlain } from '../../store/rows.ts';
import { requireRevision } from '../../store/standard-attributes.ts';
import { deletePort } from '../ports/delete.ts';
import { enqueueRouterUpdate } from '../router-events.ts';
import { isForwarded, lockFloatingIp } from './lock.ts';

/**
 * Deletes a floating IP with its port on the external network, in the caller's transaction, and notifies agents; returns the port
 * that it was associated with. Throws FloatingIPNotFound, FipInUseByPortForwarding, RevisionNumberConstraintFailed.
 */
export async function deleteFloatingIp(trx: Trx, db: Database, id: string, revision?: number): Promise<string | null> {
  const row = await lockFloatingIp(trx, db, id);
  await requireRevision(trx, row.standard_attr_id, revision);
  if (await isForwarded(trx, id)) throw neutronError('FipInUseByPortForwarding', { id });
  await deletePlain(trx, FLOATINGIP, id);
  await deletePort(trx, row.floating_port_id);
  if (row.router_id !== null) await enqueueRouterUpdate(trx, row.router_id);
  return row.fixed_port_id;
}

/** Deletes the floating IPs of a network that no router translates; without gateways on the network, that is all of them. */
export async function deleteUnusedFloatingIps(trx: Trx, db: Database, networkId: string): Promise<void> {
  const rows = await trx
    .selectFrom('floatingips')
    .select('id')
    .where('floating_network_id', '=', networkId)
    .where('router_id', 'is', null)
    .where('fixed_port_id', 'is', null)
    .execute();
  for (const { id } of rows) await deleteFloatingIp(trx, db, id);
}
