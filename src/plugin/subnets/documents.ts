import { sql } from 'kysely';
import type { Queries } from '../../db/database.ts';
import { parseIp } from '../../net/addresses.ts';
import type { DocumentOf } from '../../resources/attribute.ts';
import { NETWORK } from '../../resources/network.ts';
import { SUBNET } from '../../resources/subnet.ts';
import { type Conditions, groupBy, tagConditions, tagsOf } from '../../store/listing.ts';
import { selectPlain } from '../../store/select.ts';
import { sharedFilter } from '../rbac/sharing.ts';

export type SubnetDocument = DocumentOf<typeof SUBNET>;

/** Filters of subnets that are not plain columns. */
export const SUBNET_CONDITIONS: Conditions = {
  service_types: (values) =>
    sql`exists (select 1 from subnet_service_types t where t.subnet_id = subnets.id and t.service_type in (${sql.join(values)}))`,
  dns_nameservers: (values) =>
    sql`exists (select 1 from dnsnameservers d where d.subnet_id = subnets.id and d.address in (${sql.join(values)}))`,
  shared: sharedFilter(NETWORK, 'subnets.network_id'),
  ...tagConditions('subnets'),
};

const byAddress = (a: { first_ip: string }, b: { first_ip: string }): number => {
  const difference = (parseIp(a.first_ip)?.value ?? 0n) - (parseIp(b.first_ip)?.value ?? 0n);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
};

/** Loads the documents of subnets by id, as shown by the API and sent to agents. */
export async function subnetDocuments(
  db: Queries,
  ids: readonly string[],
): Promise<ReadonlyMap<string, SubnetDocument>> {
  const rows = await selectPlain(db, SUBNET, ids);
  if (rows.length === 0) return new Map();
  const list = rows.map((row) => row.id);
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
    rows.map((row) => row.attr),
  );
  return new Map(
    rows.map(({ id, attr, shown }): [string, SubnetDocument] => [
      id,
      {
        ...shown,
        allocation_pools: [...(pools.get(id) ?? [])]
          .sort(byAddress)
          .map(({ first_ip, last_ip }) => ({ start: first_ip, end: last_ip })),
        host_routes: (routes.get(id) ?? []).map(({ destination, nexthop }) => ({ destination, nexthop })),
        dns_nameservers: (servers.get(id) ?? []).map((s) => s.address),
        service_types: (types.get(id) ?? []).map((t) => t.service_type),
        tags: tags.get(attr) ?? [],
      },
    ]),
  );
}
