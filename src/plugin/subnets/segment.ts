import type { Trx } from '../../db/database.ts';
import { neutronError } from '../../resources/errors.ts';

/**
 * Checks the segment of a subnet. Throws SegmentNotFound, NetworkIdsDontMatch, and SubnetsNotAllAssociatedWithSegments: either
 * all subnets of a network are associated with segments, or none. `besides`: a subnet to exclude, because it is being changed.
 */
export async function checkSegment(
  trx: Trx,
  networkId: string,
  segmentId: string | null,
  besides?: string,
): Promise<void> {
  if (segmentId !== null) {
    const segment = await trx
      .selectFrom('networksegments')
      .select('network_id')
      .where('id', '=', segmentId)
      .executeTakeFirst();
    if (!segment) throw neutronError('SegmentNotFound', { id: segmentId });
    if (segment.network_id !== networkId)
      throw neutronError('NetworkIdsDontMatch', { network: networkId, segment: segmentId });
  }
  const other = await trx
    .selectFrom('subnets')
    .select('id')
    .where('network_id', '=', networkId)
    .where('id', '<>', besides ?? '')
    .where('segment_id', segmentId === null ? 'is not' : 'is', null)
    .limit(1)
    .executeTakeFirst();
  if (other) throw neutronError('SubnetsNotAllAssociatedWithSegments', { network: networkId });
}
