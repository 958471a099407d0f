import { randomUUID } from 'node:crypto';
import type { Trx } from '../../db/database.ts';
import { mapSegment } from '../../scheduler/segment-hosts.ts';
import { insertStandardAttributes } from '../../store/standard-attributes.ts';
import type { Segment } from './segments.ts';

/** A new segment of a network. */
export interface NewSegment extends Segment {
  readonly networkId: string;
  readonly index: number;
  readonly name?: string | null;
  readonly description?: string;
}

/** Inserts a segment, and which hosts reach it; returns its id. */
export async function insertSegment(trx: Trx, segment: NewSegment): Promise<string> {
  const { networkId, index, name = null, description = '', ...allocated } = segment;
  const attr = await insertStandardAttributes(trx, {
    resource_type: 'networksegments',
    description,
    revision_number: 0,
  });
  const id = randomUUID();
  await trx
    .insertInto('networksegments')
    .values({
      id,
      network_id: networkId,
      name,
      network_type: allocated.network_type,
      physical_network: allocated.physical_network,
      segmentation_id: allocated.segmentation_id,
      segment_index: index,
      is_dynamic: 0,
      standard_attr_id: attr,
    })
    .execute();
  await mapSegment(trx, id, allocated.physical_network);
  return id;
}
