import type { Trx } from '../../db/database.ts';
import { EVENTS } from '../../rpc/events.ts';
import { nextRevision } from '../../store/standard-attributes.ts';
import type { Core } from '../core.ts';
import { enqueueNotification } from '../events.ts';
import { enqueueStatusChanges } from '../nova-events.ts';
import { withBoundSegment } from '../ports/bound-segment.ts';
import { portDocuments } from '../ports/documents.ts';
import { lockPort } from '../ports/lock.ts';
import { addBlocks, blocksFor, completeWithoutAgent } from '../provisioning.ts';

/**
 * Makes the inactive binding of a host the active one: the former one is unbound, the port is DOWN until the agent of its new host
 * has wired it, and agents are notified.
 */
export async function activateBinding(trx: Trx, core: Core, port: string, host: string): Promise<void> {
  const { before, network, attr } = await lockPort(trx, core, port);
  const former = before['binding:host_id'];
  const of = (wanted: string) =>
    trx.updateTable('ml2_port_bindings').where('port_id', '=', port).where('host', '=', wanted);
  if (former === '')
    await trx.deleteFrom('ml2_port_bindings').where('port_id', '=', port).where('host', '=', '').execute();
  else await of(former).set({ status: 'INACTIVE', vif_type: 'unbound', vif_details: '{}' }).execute();
  await trx.deleteFrom('ml2_port_binding_levels').where('port_id', '=', port).where('host', '=', former).execute();
  await of(host).set({ status: 'ACTIVE' }).execute();
  await trx.updateTable('ports').set({ status: 'DOWN' }).where('id', '=', port).execute();
  await enqueueStatusChanges(trx, core, [before], 'DOWN');
  await trx.deleteFrom('provisioningblocks').where('standard_attr_id', '=', attr).execute();
  await nextRevision(trx, attr, before);
  const after = (await portDocuments(trx, core.config, [port])).get(port);
  if (!after) return;
  const { device_owner: deviceOwner, 'binding:vif_type': vifType } = after;
  await addBlocks(trx, attr, blocksFor({ vifType, deviceOwner, hasDhcpAddress: false, networkScheduled: false }));
  const wired = await withBoundSegment(trx, network, port, host);
  const { id, networkType: network_type, segmentationId: segmentation_id, physicalNetwork: physical_network } = wired;
  const payload = { port: after, network_type, segmentation_id, physical_network };
  await enqueueNotification(trx, EVENTS.port_update, payload, { network: id });
  await completeWithoutAgent(trx, core, after);
}
