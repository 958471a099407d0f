import { sql } from 'kysely';
import type { Queries } from '../../db/database.ts';
import { parseIp } from '../../net/addresses.ts';
import type { DocumentOf } from '../../resources/attribute.ts';
import { jsonInteger } from '../../resources/json-integer.ts';
import { NETWORK_IP_AVAILABILITY } from '../../resources/network-ip-availability.ts';
import { groupBy } from '../../store/listing.ts';
import type { ResourceModule } from '../module.ts';
import { visibleNetworks } from '../visibility.ts';

const versions = (values: readonly string[]) =>
  sql`s.ip_version in (${sql.join(values.map((v) => (v === '4' || v === '6' ? Number(v) : -1)))})`;

/** Returns the number of addresses in a pool. */
function poolAddresses(first: string, last: string): bigint {
  const from = parseIp(first);
  const to = parseIp(last);
  return from && to ? to.value - from.value + 1n : 0n;
}

async function availabilities(
  db: Queries,
  ids: readonly string[],
  ipVersions: readonly string[] | undefined,
): Promise<ReadonlyMap<string, DocumentOf<typeof NETWORK_IP_AVAILABILITY>>> {
  const list = [...ids];
  const networks = await db
    .selectFrom('networks')
    .select(['id', 'name', 'project_id'])
    .where('id', 'in', list)
    .execute();
  const subnets = (
    await db
      .selectFrom('subnets')
      .select(['id', 'network_id', 'name', 'cidr', 'ip_version'])
      .where('network_id', 'in', list)
      .execute()
  ).filter((s) => !ipVersions || ipVersions.includes(String(s.ip_version)));
  const subnetIds = subnets.map((s) => s.id);
  const pools = groupBy(
    subnetIds.length === 0
      ? []
      : await db.selectFrom('ipallocationpools').selectAll().where('subnet_id', 'in', subnetIds).execute(),
    (p) => p.subnet_id,
  );
  const used = new Map(
    subnetIds.length === 0
      ? []
      : (
          await db
            .selectFrom('ipallocations')
            .select((eb) => ['subnet_id', eb.fn.countAll<number>().as('n')])
            .where('subnet_id', 'in', subnetIds)
            .groupBy('subnet_id')
            .execute()
        ).map((r) => [r.subnet_id, Number(r.n)] as const),
  );
  const bySubnet = groupBy(
    subnets.map((s) => ({
      network_id: s.network_id,
      subnet_id: s.id,
      subnet_name: s.name,
      ip_version: s.ip_version,
      cidr: s.cidr,
      used_ips: used.get(s.id) ?? 0,
      total: (pools.get(s.id) ?? []).reduce((sum, p) => sum + poolAddresses(p.first_ip, p.last_ip), 0n),
    })),
    (s) => s.network_id,
  );
  return new Map(
    networks.map((n) => {
      const own = bySubnet.get(n.id) ?? [];
      return [
        n.id,
        {
          network_id: n.id,
          network_name: n.name,
          tenant_id: n.project_id,
          project_id: n.project_id,
          subnet_ip_availability: own.map(({ network_id: _, total, ...shown }) => ({
            ...shown,
            total_ips: jsonInteger(total),
          })),
          used_ips: own.reduce((sum, s) => sum + s.used_ips, 0),
          total_ips: jsonInteger(own.reduce((sum, { total }) => sum + total, 0n)),
        },
      ];
    }),
  );
}

/** IP availability of networks. */
export const ipAvailabilityModule: ResourceModule<typeof NETWORK_IP_AVAILABILITY> = {
  resource: NETWORK_IP_AVAILABILITY,
  visible: visibleNetworks,
  conditions: {
    ip_version: (values) =>
      sql`exists (select 1 from subnets s where s.network_id = networks.id and ${versions(values)})`,
  },
  load: (db, ids, view) => availabilities(db, ids, view?.query?.filters.ip_version),
};
