import { sql } from 'kysely';
import type { Queries } from '../../db/database.ts';
import { ROUTER_GATEWAY_OWNER } from '../../net/device-owners.ts';
import type { DocumentOf } from '../../resources/attribute.ts';
import type { ConntrackHelperSummary } from '../../resources/conntrack-helper.ts';
import type { NatProtocol } from '../../resources/nat-protocols.ts';
import { ROUTER } from '../../resources/router.ts';
import type { Gateway } from '../../resources/router-types.ts';
import { L3_AGENTS } from '../../scheduler/agent-kinds.ts';
import { servingZones } from '../../scheduler/zones.ts';
import { groupBy, tagConditions, tagsOf } from '../../store/listing.ts';
import { selectPlain } from '../../store/select.ts';
import { routesOf } from './routes.ts';

export type RouterDocument = DocumentOf<typeof ROUTER>;

/** Filters of routers that are not plain columns. */
export const ROUTER_CONDITIONS = tagConditions('routers');

/** Loads the documents of routers by id. */
export async function routerDocuments(
  db: Queries,
  ids: readonly string[],
): Promise<ReadonlyMap<string, RouterDocument>> {
  const rows = await selectPlain(db, ROUTER, ids);
  if (rows.length === 0) return new Map();
  const list = rows.map((row) => row.id);
  const gateways = await gatewaysOf(db, list);
  const routes = await routesOf(db, list);
  const helpers = await conntrackHelpersOf(db, list);
  const zones = await servingZones(db, L3_AGENTS, list);
  const tags = await tagsOf(
    db,
    rows.map((row) => row.attr),
  );
  return new Map(
    rows.map(({ id, attr, shown }): [string, RouterDocument] => {
      const { enable_ndp_proxy: ndp, enable_default_route_bfd: bfd, enable_default_route_ecmp: ecmp, ...plain } = shown;
      const own = gateways.get(id) ?? [];
      const multihomed =
        bfd === null || ecmp === null
          ? {}
          : { external_gateways: own, enable_default_route_bfd: bfd, enable_default_route_ecmp: ecmp };
      return [
        id,
        {
          ...plain,
          external_gateway_info: own[0] ?? null,
          routes: routes.get(id) ?? [],
          conntrack_helpers: helpers.get(id) ?? [],
          availability_zones: zones.get(id) ?? [],
          tags: tags.get(attr) ?? [],
          ...(ndp === null ? {} : { enable_ndp_proxy: ndp }),
          ...multihomed,
        },
      ];
    }),
  );
}

/** Returns the conntrack helpers of each router that has any. */
async function conntrackHelpersOf(
  db: Queries,
  ids: readonly string[],
): Promise<ReadonlyMap<string, readonly ConntrackHelperSummary[]>> {
  const rows = await db
    .selectFrom('conntrack_helpers')
    .selectAll()
    .where('router_id', 'in', [...ids])
    .orderBy('id')
    .execute();
  return new Map(
    [...groupBy(rows, (row) => row.router_id)].map(([id, own]) => [
      id,
      own.map(({ protocol, port, helper }) => ({ protocol: protocol as NatProtocol, port, helper })),
    ]),
  );
}

interface GatewayRow {
  readonly router_id: string;
  readonly port_id: string;
  readonly network_id: string;
  readonly enable_snat: number;
  readonly qos: string | null;
  readonly subnet_id: string | null;
  readonly ip_address: string | null;
}

/** Returns the gateways of each router that has any: the one in `gw_port_id`, then the others in order of their creation. */
async function gatewaysOf(db: Queries, ids: readonly string[]): Promise<ReadonlyMap<string, readonly Gateway[]>> {
  const { rows } = await sql<GatewayRow>`
    select r.id as router_id, p.id as port_id, p.network_id, r.enable_snat, q.policy_id as qos, a.subnet_id, a.ip_address
    from routers r inner join routerports rp on rp.router_id = r.id and rp.port_type = ${ROUTER_GATEWAY_OWNER}
      inner join ports p on p.id = rp.port_id
      left join ipallocations a on a.port_id = p.id
      left join qos_router_gw_policy_bindings q on q.router_id = r.id
    where r.id in (${sql.join(ids)})
    order by case when p.id = r.gw_port_id then 0 else 1 end, p.standard_attr_id, a.subnet_id, a.address_key`.execute(
    db,
  );
  const ports = [...groupBy(rows, (row) => row.port_id).values()];
  const gateways = ports.flatMap(([first, ...more]) =>
    first ? [{ router: first.router_id, gateway: gatewayShown(first, [first, ...more]) }] : [],
  );
  return new Map(
    [...groupBy(gateways, ({ router }) => router)].map(([id, own]) => [id, own.map(({ gateway }) => gateway)]),
  );
}

const gatewayShown = ({ network_id, enable_snat, qos }: GatewayRow, rows: readonly GatewayRow[]): Gateway => ({
  network_id,
  external_fixed_ips: rows.flatMap(({ subnet_id, ip_address }) =>
    subnet_id === null || ip_address === null ? [] : [{ subnet_id, ip_address }],
  ),
  enable_snat: enable_snat === 1,
  ...(qos === null ? {} : { qos_policy_id: qos }),
});
