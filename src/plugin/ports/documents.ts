import { type RawBuilder, type SqlBool, sql } from 'kysely';
import type { Config } from '../../config/options.ts';
import type { Queries } from '../../db/database.ts';
import { addressKey, canonicalIp, parseIp } from '../../net/addresses.ts';
import { isNetworkDevice } from '../../net/device-owners.ts';
import type { DocumentOf, ShownColumnsOf } from '../../resources/attribute.ts';
import { neutronError } from '../../resources/errors.ts';
import { PORT } from '../../resources/port.ts';
import type { DnsAssignment, FixedIp } from '../../resources/port-types.ts';
import type { TrunkDetails } from '../../resources/trunk.ts';
import { type Condition, type Conditions, groupBy, type Listed, tagConditions, tagsOf } from '../../store/listing.ts';
import { selectPlain } from '../../store/select.ts';

import { type ResourceRequest, resourceRequests } from '../qos/resource-request.ts';

export type PortDocument = DocumentOf<typeof PORT>;

/** The parts of a port's document that are stored in separate tables. */
export type PortLists = Pick<
  PortDocument,
  'fixed_ips' | 'security_groups' | 'allowed_address_pairs' | 'extra_dhcp_opts' | 'tags'
>;

/** Returns the DNS names of a port's addresses: its dns_name, or `host-` followed by the address. */
function dnsAssignment(dnsName: string, fixedIps: readonly FixedIp[], dnsDomain: string): readonly DnsAssignment[] {
  const domain = dnsDomain === '' || dnsDomain.endsWith('.') ? dnsDomain : `${dnsDomain}.`;
  return fixedIps.map(({ ip_address }) => {
    const hostname = dnsName === '' ? `host-${ip_address.replace(/[.:]/g, '-')}` : dnsName;
    return { ip_address, hostname, fqdn: domain === '' ? hostname : `${hostname}.${domain}` };
  });
}

/** Returns fixed IPs in the order of responses: by subnet, then by address, as in the table's key. */
export function inShownOrder(fixedIps: readonly FixedIp[]): readonly FixedIp[] {
  if (fixedIps.length < 2) return fixedIps;
  const key = ({ subnet_id, ip_address }: FixedIp) => {
    const ip = parseIp(ip_address);
    return `${subnet_id} ${ip ? addressKey(ip.version, ip.value) : ip_address}`;
  };
  return [...fixedIps].sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

/** Returns a port's document, as shown by the API and sent to agents. */
export const portDocument = (
  shown: ShownColumnsOf<typeof PORT>,
  lists: PortLists,
  dnsDomain: string,
  networkPolicy: string | null,
  request: ResourceRequest | null,
): PortDocument => ({
  ...shown,
  ...lists,
  dns_assignment: dnsAssignment(shown.dns_name, lists.fixed_ips, dnsDomain),
  qos_network_policy_id: networkPolicy,
  resource_request: request,
});

/** Returns the QoS policy that applies to a port: its own, or that of its network, which the ports of Neutron's services are exempt from. */
export const policyInForce = (
  port: { readonly qos_policy_id: string | null; readonly device_owner: string },
  networkPolicy: string | null,
): string | null => port.qos_policy_id ?? (isNetworkDevice(port.device_owner) ? null : networkPolicy);

const SUBSTRING_ESCAPE = /[\\%_]/g;

/**
 * `fixed_ips=ip_address=A`, `subnet_id=S`, `ip_address_substr=T`: different keys must all match, values of one key are
 * alternatives.
 */
function fixedIpCondition(values: readonly string[]): Condition {
  const kinds = new Map<string, string[]>();
  for (const value of values) {
    const at = value.indexOf('=');
    const kind = value.slice(0, at);
    if (at < 0 || !['ip_address', 'subnet_id', 'ip_address_substr'].includes(kind))
      throw neutronError('HTTPBadRequest', {
        reason: `Invalid input for fixed_ips. Reason: '${value.slice(0, 100)}' is none of ip_address=A, ip_address_substr=T, subnet_id=S.`,
      });
    kinds.set(kind, [...(kinds.get(kind) ?? []), value.slice(at + 1)]);
  }
  const parts: RawBuilder<SqlBool>[] = [];
  const addresses = kinds.get('ip_address')?.map((a) => canonicalIp(a) ?? a);
  if (addresses) parts.push(sql`a.ip_address in (${sql.join(addresses)})`);
  const subnets = kinds.get('subnet_id');
  if (subnets) parts.push(sql`a.subnet_id in (${sql.join(subnets)})`);
  const texts = kinds.get('ip_address_substr');
  if (texts)
    parts.push(
      sql`(${sql.join(
        texts.map((t) => sql`a.ip_address like ${`%${t.replace(SUBSTRING_ESCAPE, '\\$&')}%`} escape '\\'`),
        sql` or `,
      )})`,
    );
  return sql<SqlBool>`exists (select 1 from ipallocations a where a.port_id = ports.id and ${sql.join(parts, sql` and `)})`;
}

/** Filters of ports that are not plain columns. */
export const PORT_CONDITIONS: Conditions = {
  fixed_ips: fixedIpCondition,
  security_groups: (values) =>
    sql`exists (select 1 from securitygroupportbindings g where g.port_id = ports.id and g.security_group_id in (${sql.join(values)}))`,
  ...tagConditions('ports'),
};

/** How lists of ports are found. */
export const PORT_LIST: Listed = { resource: PORT, conditions: PORT_CONDITIONS };

/** Loads the documents of ports by id. */
export async function portDocuments(
  db: Queries,
  config: Config,
  ids: readonly string[],
): Promise<ReadonlyMap<string, PortDocument>> {
  const rows = await selectPlain(db, PORT, ids);
  if (rows.length === 0) return new Map();
  const list = rows.map((row) => row.id);
  const byPort = <R extends { port_id: string }>(found: R[]) => groupBy(found, (r) => r.port_id);
  const addresses = byPort(
    await db
      .selectFrom('ipallocations')
      .select(['port_id', 'subnet_id', 'ip_address'])
      .where('port_id', 'in', list)
      .orderBy('subnet_id')
      .orderBy('address_key')
      .execute(),
  );
  const groups = byPort(
    await db
      .selectFrom('securitygroupportbindings')
      .selectAll()
      .where('port_id', 'in', list)
      .orderBy('security_group_id')
      .execute(),
  );
  const pairs = byPort(
    await db.selectFrom('allowedaddresspairs').selectAll().where('port_id', 'in', list).orderBy('ip_address').execute(),
  );
  const opts = byPort(
    await db
      .selectFrom('extradhcpopts')
      .selectAll()
      .where('port_id', 'in', list)
      .orderBy('opt_name')
      .orderBy('ip_version')
      .execute(),
  );
  const tags = await tagsOf(
    db,
    rows.map((row) => row.attr),
  );
  const trunks = await trunkDetails(db, list);
  const policies = new Map(
    (
      await db
        .selectFrom('qos_network_policy_bindings')
        .selectAll()
        .where('network_id', 'in', [...new Set(rows.map(({ shown }) => shown.network_id))])
        .execute()
    ).map((row) => [row.network_id, row.policy_id]),
  );
  const requests = await resourceRequests(
    db,
    rows.flatMap(({ id, shown }) => {
      const policy = policyInForce(shown, policies.get(shown.network_id) ?? null);
      return policy === null ? [] : [{ id, network: shown.network_id, vnicType: shown['binding:vnic_type'], policy }];
    }),
  );
  return new Map(
    rows.map(({ id, attr, shown }): [string, PortDocument] => {
      const lists = {
        fixed_ips: (addresses.get(id) ?? []).map(({ subnet_id, ip_address }) => ({ subnet_id, ip_address })),
        security_groups: (groups.get(id) ?? []).map((g) => g.security_group_id),
        allowed_address_pairs: (pairs.get(id) ?? []).map(({ mac_address, ip_address }) => ({
          mac_address,
          ip_address,
        })),
        extra_dhcp_opts: (opts.get(id) ?? []).map(({ opt_name, opt_value, ip_version }) => ({
          opt_name,
          opt_value,
          ip_version: ip_version as 4 | 6,
        })),
        tags: tags.get(attr) ?? [],
      };
      const networkPolicy = policies.get(shown.network_id) ?? null;
      const request = requests.get(id) ?? null;
      const document = portDocument(shown, lists, config.DEFAULT.dns_domain, networkPolicy, request);
      const trunk = trunks.get(id);
      return [id, trunk ? { ...document, trunk_details: trunk } : document];
    }),
  );
}

/** Returns the trunks of parent ports by the id of the port. */
async function trunkDetails(db: Queries, ports: readonly string[]): Promise<ReadonlyMap<string, TrunkDetails>> {
  const parents = await db
    .selectFrom('trunks')
    .select(['id', 'port_id'])
    .where('port_id', 'in', [...ports])
    .execute();
  if (parents.length === 0) return new Map();
  const children = groupBy(
    await db
      .selectFrom('subports')
      .innerJoin('ports', 'ports.id', 'subports.port_id')
      .select(['subports.port_id', 'subports.trunk_id', 'subports.segmentation_id', 'ports.mac_address'])
      .where(
        'trunk_id',
        'in',
        parents.map(({ id }) => id),
      )
      .orderBy('segmentation_id')
      .execute(),
    (row) => row.trunk_id,
  );
  return new Map(
    parents.map(({ id, port_id }) => [
      port_id,
      {
        trunk_id: id,
        sub_ports: (children.get(id) ?? []).map(({ trunk_id: _, ...child }) => ({
          ...child,
          segmentation_type: 'vlan' as const,
        })),
      },
    ]),
  );
}
