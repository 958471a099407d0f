import { sql } from 'kysely';
import type { Queries } from '../../db/database.ts';
import { NETWORK } from '../../resources/network.ts';
import type { SegmentText } from '../../resources/segment-types.ts';
import { DHCP_AGENTS } from '../../scheduler/agent-kinds.ts';
import { bindingsOf } from '../../scheduler/bindings.ts';
import type { Document } from '../core.ts';
import { type Condition, columnIn, groupBy, type ListPlan, tagConditions, tagsOf } from '../listing.ts';
import { timeShown } from '../standard-attributes.ts';

const flags = (values: readonly string[]): readonly number[] =>
  values.map((v) => NETWORK.attributes.shared.type.filter?.(v) as number);

/** A flag that is kept as the presence of a row: true asks for rows where `exists` holds. */
const presence =
  (exists: Condition) =>
  (values: readonly string[]): Condition => {
    const wanted = new Set(flags(values));
    return sql`(${wanted.has(1) ? exists : sql`1 = 0`} or ${wanted.has(0) ? sql`not ${exists}` : sql`1 = 0`})`;
  };

const segment =
  (column: 'network_type' | 'physical_network' | 'segmentation_id') =>
  (values: readonly string[]): Condition =>
    sql`exists (select 1 from networksegments s where s.network_id = networks.id and ${columnIn(`s.${column}`, values)})`;

/** How lists of networks are found. */
export const NETWORK_LIST: ListPlan = {
  resource: NETWORK,
  table: 'networks',
  from: sql`from networks inner join standardattributes on standardattributes.id = networks.standard_attr_id`,
  conditions: {
    shared: presence(
      sql`exists (select 1 from networkrbacs r where r.object_id = networks.id and r.action = 'access_as_shared' and r.target_project = '*')`,
    ),
    'router:external': presence(sql`exists (select 1 from externalnetworks x where x.network_id = networks.id)`),
    is_default: presence(
      sql`exists (select 1 from externalnetworks x where x.network_id = networks.id and x.is_default = 1)`,
    ),
    port_security_enabled: presence(
      sql`exists (select 1 from networksecuritybindings b where b.network_id = networks.id and b.port_security_enabled = 1)`,
    ),
    dns_domain: (values) =>
      sql`coalesce((select d.dns_domain from networkdnsdomains d where d.network_id = networks.id), '') in (${sql.join(values)})`,
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
    l2_adjacency: presence(sql`1 = 1`),
    ...tagConditions('networks'),
  },
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

/** One segment is shown by the provider attributes, several are listed. */
const segmentsShown = (rows: readonly SegmentRow[]) =>
  rows.length > 1 ? { segments: rows.map(segmentShown) } : segmentShown(rows[0]);

/** Documents of networks by id, as the API shows them. */
export async function networkDocuments(db: Queries, ids: readonly string[]): Promise<ReadonlyMap<string, Document>> {
  if (ids.length === 0) return new Map();
  const list = [...ids];
  const rows = await db
    .selectFrom('networks')
    .innerJoin('standardattributes as sa', 'sa.id', 'networks.standard_attr_id')
    .leftJoin('networksecuritybindings as ps', 'ps.network_id', 'networks.id')
    .leftJoin('networkdnsdomains as dns', 'dns.network_id', 'networks.id')
    .leftJoin('externalnetworks as ext', 'ext.network_id', 'networks.id')
    .selectAll('networks')
    .select([
      'sa.description',
      'sa.revision_number',
      'sa.created_at',
      'sa.updated_at',
      'ps.port_security_enabled',
      'dns.dns_domain',
      'ext.is_default',
      'ext.network_id as external',
    ])
    .where('networks.id', 'in', list)
    .execute();
  const subnets = groupBy(
    await db.selectFrom('subnets').select(['id', 'network_id']).where('network_id', 'in', list).orderBy('id').execute(),
    (r) => r.network_id,
  );
  const segments = groupBy(
    await db
      .selectFrom('networksegments')
      .selectAll()
      .where('network_id', 'in', list)
      .where('is_dynamic', '=', 0)
      .orderBy('segment_index')
      .execute(),
    (r) => r.network_id,
  );
  const shared = new Set(
    (
      await db
        .selectFrom('networkrbacs')
        .select('object_id')
        .where('object_id', 'in', list)
        .where('action', '=', 'access_as_shared')
        .where('target_project', '=', '*')
        .execute()
    ).map((r) => r.object_id),
  );
  const zones = await servingZones(db, list);
  const tags = await tagsOf(
    db,
    rows.map((r) => r.standard_attr_id),
  );
  const documents = new Map<string, Document>();
  for (const row of rows) {
    const own = segments.get(row.id) ?? [];
    documents.set(row.id, {
      id: row.id,
      name: row.name,
      tenant_id: row.project_id,
      project_id: row.project_id,
      admin_state_up: row.admin_state_up === 1,
      mtu: row.mtu,
      status: row.status,
      subnets: (subnets.get(row.id) ?? []).map((s) => s.id),
      shared: shared.has(row.id),
      availability_zone_hints: JSON.parse(row.availability_zone_hints),
      availability_zones: zones.get(row.id) ?? [],
      ipv4_address_scope: null,
      ipv6_address_scope: null,
      'router:external': row.external !== null,
      // Only external networks have it, as in Neutron.
      ...(row.external === null ? {} : { is_default: row.is_default === 1 }),
      description: row.description,
      port_security_enabled: row.port_security_enabled !== 0,
      dns_domain: row.dns_domain ?? '',
      qos_policy_id: null,
      l2_adjacency: true,
      tags: tags.get(Number(row.standard_attr_id)) ?? [],
      created_at: timeShown(row.created_at),
      updated_at: timeShown(row.updated_at),
      revision_number: Number(row.revision_number),
      ...segmentsShown(own),
    });
  }
  return documents;
}

/** Availability zones of the DHCP agents that serve each network. */
async function servingZones(db: Queries, ids: string[]): Promise<ReadonlyMap<string, string[]>> {
  const rows = await db
    .selectFrom(bindingsOf(DHCP_AGENTS).as('b'))
    .innerJoin('agents', 'agents.id', 'b.agent_id')
    .select(['b.resource_id', 'agents.availability_zone'])
    .distinct()
    .where('b.resource_id', 'in', ids)
    .execute();
  const zones = new Map<string, string[]>();
  for (const { resource_id: id, availability_zone } of rows) {
    if (availability_zone === null) continue;
    zones.set(id, [...(zones.get(id) ?? []), availability_zone].sort());
  }
  return zones;
}
