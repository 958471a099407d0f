import type { Trx } from '../../db/database.ts';
import { NeutronError, neutronError } from '../../resources/errors.ts';
import { EVENTS } from '../../rpc/events.ts';
import { requireRevision } from '../../store/standard-attributes.ts';
import type { Core } from '../core.ts';
import { enqueueNotification } from '../events.ts';
import { deleteUnusedFloatingIps } from '../floatingips/delete.ts';
import { deleteAutomaticPorts, portsInUse } from '../ports/of-network.ts';
import { releasePrefixes } from '../subnetpools/release.ts';
import { lockNetwork } from './lock.ts';
import { releaseSegment } from './segments.ts';

/**
 * Deletes a network with its subnets and unused floating IPs in the caller's transaction, and enqueues the notifications of agents.
 * Throws NetworkNotFound, NetworkInUse, RevisionNumberConstraintFailed.
 */
export async function deleteNetwork(trx: Trx, core: Core, id: string, revision?: number): Promise<void> {
  const network = await lockNetwork(trx, core.db, id);
  await requireRevision(trx, network.standard_attr_id, revision);
  // As in Neutron; those in use stay, and keep the network.
  await deleteUnusedFloatingIps(trx, core.db, id);
  const used = await portsInUse(trx, id);
  if (used.length > 0) throw neutronError('NetworkInUse', { id, ports: used.join(',') });
  await requireNoHaRouters(trx, id);
  await deleteAutomaticPorts(trx, id);
  const segments = await trx.selectFrom('networksegments').selectAll().where('network_id', '=', id).execute();
  for (const segment of segments) await releaseSegment(trx, segment);
  const subnets = await trx.selectFrom('subnets').selectAll().where('network_id', '=', id).execute();
  await releasePrefixes(trx, core.db, subnets);
  // Rows that refer to the standard attributes (subnets, segments, the network, tags) are deleted by cascade.
  const attributes = [
    network.standard_attr_id,
    ...segments.map((s) => s.standard_attr_id),
    ...subnets.map((s) => s.standard_attr_id),
  ];
  await trx.deleteFrom('networks').where('id', '=', id).execute();
  await trx.deleteFrom('standardattributes').where('id', 'in', attributes).execute();
  await enqueueNotification(trx, EVENTS.network_delete_end, { network_id: id }, { network: id });
  await enqueueNotification(trx, EVENTS.network_delete, { network_id: id }, { network: id });
}

/** Throws NetworkInUse for the network of highly available routers, even before it has ports: it goes with the last router. */
async function requireNoHaRouters(trx: Trx, id: string): Promise<void> {
  const vrid = await trx
    .selectFrom('ha_router_vrid_allocations')
    .select('vr_id')
    .where('network_id', '=', id)
    .limit(1)
    .executeTakeFirst();
  if (vrid) throw new NeutronError('NetworkInUse', `Network ${id} belongs to highly available routers.`);
}
