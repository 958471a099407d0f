import type { Trx } from '../../db/database.ts';
import { ROUTED_OWNER } from '../../net/device-owners.ts';
import { neutronError } from '../../resources/errors.ts';

/** Throws SegmentNotFound, NetworkIdsDontMatch, SubnetCantAssociateToDynamicSegment. */
async function requireSegment(trx: Trx, networkId: string, segmentId: string): Promise<void> {
  const segment = await trx
    .selectFrom('networksegments')
    .select(['network_id', 'is_dynamic'])
    .where('id', '=', segmentId)
    .executeTakeFirst();
  if (!segment) throw neutronError('SegmentNotFound', { id: segmentId });
  if (segment.network_id !== networkId)
    throw neutronError('NetworkIdsDontMatch', { network: networkId, segment: segmentId });
  if (segment.is_dynamic === 1) throw neutronError('SubnetCantAssociateToDynamicSegment', { segment: segmentId });
}

/** The subnets of a network whose segments must agree. Those for addresses that routers announce have none. */
const segmentsInUse = (trx: Trx, networkId: string) =>
  trx
    .selectFrom('subnets')
    .select(['id', 'segment_id'])
    .where('network_id', '=', networkId)
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom('subnet_service_types as t')
            .select('t.subnet_id')
            .whereRef('t.subnet_id', '=', 'subnets.id')
            .where('t.service_type', '=', ROUTED_OWNER),
        ),
      ),
    );

/**
 * Checks the segment of a new subnet. Throws SegmentNotFound, NetworkIdsDontMatch, SubnetCantAssociateToDynamicSegment, and
 * SubnetsNotAllAssociatedWithSegments: either all subnets of a network are associated with segments, or none.
 */
export async function checkSegment(
  trx: Trx,
  networkId: string,
  segmentId: string | null,
  serviceTypes: readonly string[],
): Promise<void> {
  if (segmentId !== null) await requireSegment(trx, networkId, segmentId);
  if (serviceTypes.includes(ROUTED_OWNER)) return;
  const other = await segmentsInUse(trx, networkId)
    .where('segment_id', segmentId === null ? 'is not' : 'is', null)
    .limit(1)
    .executeTakeFirst();
  if (other) throw neutronError('SubnetsNotAllAssociatedWithSegments', { network: networkId });
}

/**
 * Checks the segment that an existing subnet would be associated with: it must be the network's only subnet, without a segment so
 * far, and the segment the only one. Throws as `checkSegment` does, and SubnetSegmentAssociationChangeNotAllowed,
 * NoUpdateSubnetWhenMultipleSegmentsOnNetwork.
 */
export async function checkSegmentChange(
  trx: Trx,
  networkId: string,
  subnet: { readonly id: string; readonly segment_id: string | null },
  segmentId: string | null,
): Promise<void> {
  const known = await segmentsInUse(trx, networkId).execute();
  if (known.length > 1) throw neutronError('SubnetsNotAllAssociatedWithSegments', { network: networkId });
  if (subnet.segment_id !== null) throw neutronError('SubnetSegmentAssociationChangeNotAllowed', { subnet: subnet.id });
  const segments = await trx.selectFrom('networksegments').select('id').where('network_id', '=', networkId).execute();
  if (segments.length > 1) throw neutronError('NoUpdateSubnetWhenMultipleSegmentsOnNetwork', { network: networkId });
  if (segmentId !== null) await requireSegment(trx, networkId, segmentId);
}
