import { sql } from 'kysely';
import type { Queries } from '../../db/database.ts';
import type { DocumentOf } from '../../resources/attribute.ts';
import { NETWORK } from '../../resources/network.ts';
import type { SegmentText } from '../../resources/segment-types.ts';
import { DHCP_AGENTS } from '../../scheduler/agent-kinds.ts';
import { bindingsOf } from '../../scheduler/bindings.ts';
import { servingZones } from '../../scheduler/zones.ts';
import {
  type Condition,
  type Conditions,
  columnIn,
  groupBy,
  presence,
  tagConditions,
  tagsOf,
} from '../../store/listing.ts';
import { selectPlain } from '../../store/select.ts';
import type { View } from '../module.ts';
import { sharedAmong, sharedFilter } from '../rbac/sharing.ts';
import { scopesOfNetworks } from '../subnetpools/scope.ts';

export type NetworkDocument = DocumentOf<typeof NETWORK>;

const segment =
  (column: 'network_type' | 'physical_network' | 'segmentation_id') =>
  (values: readonly string[]): Condition =>
    sql`exists (select 1 from networksegments s where s.network_id = networks.id and ${columnIn(sql.ref(`s.${column}`), values)})`;

/** Filters of networks that are not plain columns. */
export const NETWORK_CONDITIONS: Conditions = {
  shared: sharedFilter(NETWORK),
  'router:external': presence(sql`exists (select 1 from externalnetworks x where x.network_id = networks.id)`),
  is_default: presence(
    sql`exists (select 1 from externalnetworks x where x.network_id = networks.id and x.is_default = 1)`,
  ),
  'provider:network_type': segment('network_type'),
  'provider:physical_network': segment('physical_network'),
  'provider:segmentation_id': segment('segmentation_id'),
  subnets: (values) =>
    sql`exists (select 1 from subnets s where s.network_id = networks.id and s.id in (${sql.join(values)}))`,
  availability_zone_hints: (values) =>
    sql`(${sql.join(
      values.map((v) => sql`instr(networks.availability_zone_hints, ${JSON.stringify(v)}) > 0`),
      sql` or `,
    )})`,
  availability_zones: (values) =>
    sql`exists (select 1 from ${bindingsOf(DHCP_AGENTS)} b inner join agents a on a.id = b.agent_id
      where b.resource_id = networks.id and a.availability_zone in (${sql.join(values)}))`,
  l2_adjacency: presence(
    sql`not exists (select 1 from subnets s where s.network_id = networks.id and s.segment_id is not null)`,
  ),
  ...tagConditions('networks'),
};

interface SegmentRow {
  readonly network_type: string;
  readonly physical_network: string | null;
  readonly segmentation_id: number | null;
}

const segmentShown = (row: SegmentRow | undefined): SegmentText => ({
  'provider:network_type': row?.network_type ?? null,
  'provider:physical_network': row?.physical_network ?? null,
  'provider:segmentation_id': row?.segmentation_id ?? null,
});

/** A single segment is shown as provider attributes, several segments as a list. */
const segmentsShown = (rows: readonly SegmentRow[]) =>
  rows.length > 1 ? { segments: rows.map(segmentShown) } : segmentShown(rows[0]);

/** Loads the documents of networks by id. */
export async function networkDocuments(
  db: Queries,
  ids: readonly string[],
  view?: View,
): Promise<ReadonlyMap<string, NetworkDocument>> {
  const rows = await selectPlain(db, NETWORK, ids);
  if (rows.length === 0) return new Map();
  const list = rows.map((row) => row.id);
  const ofNetwork = <R extends { readonly network_id: string }>(found: readonly R[]) =>
    groupBy(found, (r) => r.network_id);
  const subnets = ofNetwork(
    await db
      .selectFrom('subnets')
      .select(['id', 'network_id', 'segment_id'])
      .where('network_id', 'in', list)
      .orderBy('id')
      .execute(),
  );
  const segments = ofNetwork(
    await db
      .selectFrom('networksegments')
      .selectAll()
      .where('network_id', 'in', list)
      .where('is_dynamic', '=', 0)
      .orderBy('segment_index')
      .execute(),
  );
  const external = new Map(
    (await db.selectFrom('externalnetworks').selectAll().where('network_id', 'in', list).execute()).map((row) => [
      row.network_id,
      row.is_default === 1,
    ]),
  );
  const shared = await sharedAmong(db, NETWORK, list, view);
  const scopes = await scopesOfNetworks(db, list);
  const zones = await servingZones(db, DHCP_AGENTS, list);
  const tags = await tagsOf(
    db,
    rows.map((row) => row.attr),
  );
  return new Map(
    rows.map(({ id, attr, shown }): [string, NetworkDocument] => [
      id,
      {
        ...shown,
        subnets: (subnets.get(id) ?? []).map((s) => s.id),
        shared: shared.has(id),
        availability_zones: zones.get(id) ?? [],
        ipv4_address_scope: scopes.get(id)?.[4] ?? null,
        ipv6_address_scope: scopes.get(id)?.[6] ?? null,
        'router:external': external.has(id),
        ...(external.has(id) ? { is_default: external.get(id) === true } : {}),
        // Machines on different segments of a routed network reach each other over routers only.
        l2_adjacency: (subnets.get(id) ?? []).every((s) => s.segment_id === null),
        tags: tags.get(attr) ?? [],
        ...segmentsShown(segments.get(id) ?? []),
      },
    ]),
  );
}
