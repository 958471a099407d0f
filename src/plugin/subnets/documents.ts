import { sql } from 'kysely';
import type { Queries } from '../../db/database.ts';
import { parseIp } from '../../resources/addresses.ts';
import { SUBNET } from '../../resources/subnet.ts';
import type { Document } from '../core.ts';
import { groupBy, type ListPlan, tagConditions, tagsOf } from '../listing.ts';
import { timeShown } from '../standard-attributes.ts';

const among = (values: readonly string[]) => sql.join(values);

/** How lists of subnets are found. */
export const SUBNET_LIST: ListPlan = {
  resource: SUBNET,
  table: 'subnets',
  from: sql`from subnets inner join standardattributes on standardattributes.id = subnets.standard_attr_id`,
  conditions: {
    service_types: (values) =>
      sql`exists (select 1 from subnet_service_types t where t.subnet_id = subnets.id and t.service_type in (${among(values)}))`,
    dns_nameservers: (values) =>
      sql`exists (select 1 from dnsnameservers d where d.subnet_id = subnets.id and d.address in (${among(values)}))`,
    ...tagConditions('subnets'),
  },
};

const byAddress = (a: { first_ip: string }, b: { first_ip: string }): number => {
  const difference = (parseIp(a.first_ip)?.value ?? 0n) - (parseIp(b.first_ip)?.value ?? 0n);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
};

/** Documents of subnets by id, as the API shows them and as agents are told of them. */
export async function subnetDocuments(db: Queries, ids: readonly string[]): Promise<ReadonlyMap<string, Document>> {
  if (ids.length === 0) return new Map();
  const list = [...ids];
  const rows = await db
    .selectFrom('subnets')
    .innerJoin('standardattributes as sa', 'sa.id', 'subnets.standard_attr_id')
    .selectAll('subnets')
    .select(['sa.description', 'sa.revision_number', 'sa.created_at', 'sa.updated_at'])
    .where('subnets.id', 'in', list)
    .execute();
  const bySubnet = <R extends { subnet_id: string }>(found: R[]) => groupBy(found, (r) => r.subnet_id);
  const pools = bySubnet(await db.selectFrom('ipallocationpools').selectAll().where('subnet_id', 'in', list).execute());
  const servers = bySubnet(
    await db.selectFrom('dnsnameservers').selectAll().where('subnet_id', 'in', list).orderBy('order').execute(),
  );
  const routes = bySubnet(
    await db
      .selectFrom('subnetroutes')
      .selectAll()
      .where('subnet_id', 'in', list)
      .orderBy('destination')
      .orderBy('nexthop')
      .execute(),
  );
  const types = bySubnet(
    await db
      .selectFrom('subnet_service_types')
      .selectAll()
      .where('subnet_id', 'in', list)
      .orderBy('service_type')
      .execute(),
  );
  const tags = await tagsOf(
    db,
    rows.map((r) => r.standard_attr_id),
  );
  const documents = new Map<string, Document>();
  for (const row of rows)
    documents.set(row.id, {
      id: row.id,
      name: row.name,
      tenant_id: row.project_id,
      project_id: row.project_id,
      network_id: row.network_id,
      ip_version: row.ip_version,
      subnetpool_id: row.subnetpool_id,
      enable_dhcp: row.enable_dhcp === 1,
      ipv6_ra_mode: row.ipv6_ra_mode,
      ipv6_address_mode: row.ipv6_address_mode,
      gateway_ip: row.gateway_ip,
      cidr: row.cidr,
      allocation_pools: [...(pools.get(row.id) ?? [])]
        .sort(byAddress)
        .map(({ first_ip, last_ip }) => ({ start: first_ip, end: last_ip })),
      host_routes: (routes.get(row.id) ?? []).map(({ destination, nexthop }) => ({ destination, nexthop })),
      dns_nameservers: (servers.get(row.id) ?? []).map((s) => s.address),
      service_types: (types.get(row.id) ?? []).map((t) => t.service_type),
      segment_id: row.segment_id,
      description: row.description,
      tags: tags.get(Number(row.standard_attr_id)) ?? [],
      created_at: timeShown(row.created_at),
      updated_at: timeShown(row.updated_at),
      revision_number: Number(row.revision_number),
    });
  return documents;
}
