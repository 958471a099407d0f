import type { Trx } from '../../db/database.ts';
import { EVENTS } from '../../rpc/events.ts';
import { bumpRevision, requireRevision } from '../../store/standard-attributes.ts';
import type { Core } from '../core.ts';
import { enqueueNotification } from '../events.ts';
import { isAutoAddress } from '../ports/network-facts.ts';
import { releasePrefixes } from '../subnetpools/release.ts';
import { lockSubnet } from './lock.ts';
import { updatePeers } from './peer-routes.ts';
import { releaseAddresses, requireOtherAddresses, requireUnused } from './port-addresses.ts';

/**
 * Deletes a subnet in the caller's transaction and enqueues the notifications of agents. The addresses that DHCP ports have in
 * it, and those derived from MACs, are deleted with it. Throws SubnetNotFound, SubnetInUse, RevisionNumberConstraintFailed.
 */
export async function deleteSubnet(trx: Trx, core: Core, id: string, revision?: number): Promise<void> {
  const { subnet, network } = await lockSubnet(trx, core.db, id);
  await requireRevision(trx, subnet.standard_attr_id, revision);
  const autoAddress = isAutoAddress(subnet.ipv6_ra_mode, subnet.ipv6_address_mode);
  await requireUnused(trx, id, autoAddress);
  if (autoAddress && subnet.segment_id !== null) await requireOtherAddresses(trx, id);
  await releaseAddresses(trx, core, network, id);
  await releasePrefixes(trx, core.db, [subnet]);
  // The subnet's row and all dependent rows are deleted with the standard attributes by cascade.
  await trx.deleteFrom('standardattributes').where('id', '=', subnet.standard_attr_id).execute();
  await bumpRevision(trx, network.standard_attr_id);
  await updatePeers(trx, network.id, { id, segmentId: subnet.segment_id, deletedCidr: subnet.cidr });
  await enqueueNotification(
    trx,
    EVENTS.subnet_delete_end,
    { subnet_id: id, network_id: network.id },
    { network: network.id },
  );
}
