import type { Caller } from '../../auth/contract.ts';
import type { Trx } from '../../db/database.ts';
import type { UpdateOf } from '../../resources/attribute.ts';
import { neutronError } from '../../resources/errors.ts';
import { FLOATINGIP } from '../../resources/floatingip.ts';
import { plainOf, updatePlain } from '../../store/rows.ts';
import { bumpRevision, requireRevision } from '../../store/standard-attributes.ts';
import type { Core } from '../core.ts';
import { inserted } from '../module.ts';
import { enqueueFloatingIpChanged } from '../nova-events.ts';
import { requireQosPolicyChange } from '../qos/use.ts';
import { enqueueRouterUpdate } from '../router-events.ts';
import { associationWith } from './associate.ts';
import { type FloatingIpDocument, floatingIpDocuments } from './documents.ts';
import { isForwarded, type LockedFloatingIp, lockFloatingIp } from './lock.ts';

export type FloatingIpUpdate = UpdateOf<typeof FLOATINGIP>;

/** Columns of the association. */
type Columns = Pick<LockedFloatingIp, 'fixed_port_id' | 'fixed_ip_address' | 'router_id'>;

/** Returns the association after an update; undefined: it stays. */
async function changedAssociation(
  trx: Trx,
  core: Core,
  caller: Caller,
  row: LockedFloatingIp,
  changes: FloatingIpUpdate,
): Promise<Columns | undefined> {
  const { port_id, fixed_ip_address = null } = changes;
  const { id, project_id: projectId, floating_network_id: networkId, floating_ip_address: address } = row;
  if (fixed_ip_address !== null && (port_id === undefined || port_id === null))
    throw neutronError('BadRequest', {
      resource: 'floatingip',
      reason: 'fixed_ip_address needs a port_id',
    });
  // As in Neutron, an empty update disassociates: once, floating IPs had no other attribute.
  if (port_id === undefined && Object.keys(changes).length > 0) return undefined;
  if (port_id === undefined || port_id === null)
    return row.fixed_port_id === null ? undefined : { fixed_port_id: null, fixed_ip_address: null, router_id: null };
  if (await isForwarded(trx, id)) throw neutronError('FipInUseByPortForwarding', { id });
  const floatingIp = { id, projectId, networkId, address };
  const { portId, fixedIp, routerId } = await associationWith(trx, core, caller, floatingIp, {
    port_id,
    fixed_ip_address,
  });
  return { fixed_port_id: portId, fixed_ip_address: fixedIp, router_id: routerId };
}

/**
 * Updates a floating IP in the caller's transaction and notifies the agents of the routers concerned; returns its new document.
 * Throws NeutronError: FloatingIPNotFound, RevisionNumberConstraintFailed, and as for new associations.
 */
export async function updateFloatingIp(
  trx: Trx,
  core: Core,
  caller: Caller,
  id: string,
  changes: FloatingIpUpdate,
  revision?: number,
): Promise<FloatingIpDocument> {
  const row = await lockFloatingIp(trx, core.db, id);
  const { standard_attr_id: attr } = row;
  await requireRevision(trx, attr, revision);
  await requireQosPolicyChange(trx, caller, { table: 'qos_fip_policy_bindings', key: 'fip_id', id }, changes);
  const association = await changedAssociation(trx, core, caller, row, changes);
  if (association)
    await trx
      .updateTable('floatingips')
      .set({
        ...association,
        last_known_router_id: row.router_id,
        ...(association.router_id === null ? { status: 'DOWN' } : {}),
      })
      .where('id', '=', id)
      .execute();
  const { port_id: _port, fixed_ip_address: _fixed, ...plain } = plainOf(FLOATINGIP, changes);
  await updatePlain(trx, FLOATINGIP, { id, attr }, plain);
  await bumpRevision(trx, attr, revision);
  const routers = new Set([row.router_id, association ? association.router_id : row.router_id]);
  for (const router of routers) if (router !== null) await enqueueRouterUpdate(trx, router);
  const document = inserted((await floatingIpDocuments(trx, [id])).get(id), 'floatingip', id);
  await enqueueFloatingIpChanged(trx, core, row.fixed_port_id, document.port_id);
  return document;
}
