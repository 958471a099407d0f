import { type SqlBool, sql } from 'kysely';
import type { Queries, Trx } from '../../db/database.ts';
import type { DocumentOf } from '../../resources/attribute.ts';
import { neutronError } from '../../resources/errors.ts';
import { SEGMENT } from '../../resources/segment.ts';
import { deletePlain, plainOf, updatePlain } from '../../store/rows.ts';
import { selectPlain } from '../../store/select.ts';
import { bumpRevision, requireCurrent } from '../../store/standard-attributes.ts';
import type { Core } from '../core.ts';
import { inserted, type ResourceModule } from '../module.ts';
import { lockNetwork } from '../networks/lock.ts';
import { insertSegment } from '../networks/segment-rows.ts';
import { allocateSegment, releaseSegment } from '../networks/segments.ts';

type SegmentDocument = DocumentOf<typeof SEGMENT>;

const load = async (db: Queries, ids: readonly string[]): Promise<ReadonlyMap<string, SegmentDocument>> =>
  new Map((await selectPlain(db, SEGMENT, ids)).map(({ id, shown }) => [id, shown]));

/** Throws SegmentNotFound. */
async function requireSegment(trx: Trx, id: string): Promise<{ document: SegmentDocument; attr: number }> {
  const [row] = await selectPlain(trx, SEGMENT, [id]);
  if (!row) throw neutronError('SegmentNotFound', { id });
  return { document: row.shown, attr: row.attr };
}

/** Throws SegmentInUse if subnets are associated with the segment, or ports are bound to it. */
async function requireUnused(trx: Trx, id: string): Promise<void> {
  const subnet = await trx.selectFrom('subnets').select('id').where('segment_id', '=', id).executeTakeFirst();
  if (subnet) throw neutronError('SegmentInUse', { id, reason: `subnet ${subnet.id} is associated with it` });
  const port = await trx
    .selectFrom('ml2_port_binding_levels')
    .select('port_id')
    .where('segment_id', '=', id)
    .executeTakeFirst();
  if (port) throw neutronError('SegmentInUse', { id, reason: `port ${port.port_id} is bound to it` });
}

/** Returns the index of a further segment of a network. */
async function nextIndex(trx: Trx, network: string): Promise<number> {
  const last = await trx
    .selectFrom('networksegments')
    .select((eb) => eb.fn.max('segment_index').as('index'))
    .where('network_id', '=', network)
    .executeTakeFirst();
  return last?.index === null || last?.index === undefined ? 0 : Number(last.index) + 1;
}

/** Segments as resources. */
export const segmentModule = (core: Core): ResourceModule<typeof SEGMENT> => ({
  resource: SEGMENT,
  visible: () => sql<SqlBool>`1 = 1`,
  load,
  async create(trx, _caller, values) {
    const network = await lockNetwork(trx, core.db, values.network_id);
    const segment = await allocateSegment(trx, core.config, {
      networkType: values.network_type,
      physicalNetwork: values.physical_network,
      segmentationId: values.segmentation_id,
    });
    const id = await insertSegment(trx, {
      ...segment,
      networkId: network.id,
      index: await nextIndex(trx, network.id),
      name: values.name,
      description: values.description,
    });
    await bumpRevision(trx, network.standard_attr_id);
    return inserted((await load(trx, [id])).get(id), 'segment', id);
  },
  async update(trx, _caller, id, changes, revision) {
    const { document, attr } = await requireSegment(trx, id);
    requireCurrent(document.revision_number, revision);
    await updatePlain(trx, SEGMENT, { id, attr }, plainOf(SEGMENT, changes));
    await bumpRevision(trx, attr, revision);
    return inserted((await load(trx, [id])).get(id), 'segment', id);
  },
  async delete(trx, _caller, id, revision) {
    const { document } = await requireSegment(trx, id);
    requireCurrent(document.revision_number, revision);
    const network = await lockNetwork(trx, core.db, document.network_id);
    await requireUnused(trx, id);
    await releaseSegment(trx, document);
    await deletePlain(trx, SEGMENT, id);
    await bumpRevision(trx, network.standard_attr_id);
  },
});
