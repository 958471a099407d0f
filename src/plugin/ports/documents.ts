import { type RawBuilder, type SqlBool, sql } from 'kysely';
import type { Config } from '../../config/options.ts';
import type { Queries } from '../../db/database.ts';
import { addressKey, canonicalIp, parseIp } from '../../resources/addresses.ts';
import { neutronError } from '../../resources/errors.ts';
import { PORT } from '../../resources/port.ts';
import type { DnsAssignment, ExtraDhcpOpt, FixedIp } from '../../rpc/documents.ts';
import type { Document, RequestContext } from '../core.ts';
import { type Condition, columnIn, groupBy, type ListPlan, tagConditions, tagsOf } from '../listing.ts';
import { timeShown } from '../standard-attributes.ts';

/** All that a port's document is made of. */
export interface PortParts {
  readonly id: string;
  readonly name: string;
  readonly network_id: string;
  readonly project_id: string;
  readonly mac_address: string;
  readonly admin_state_up: boolean;
  readonly status: string;
  readonly device_id: string;
  readonly device_owner: string;
  readonly fixed_ips: readonly FixedIp[];
  readonly security_groups: readonly string[];
  readonly port_security_enabled: boolean;
  readonly allowed_address_pairs: readonly { readonly mac_address: string; readonly ip_address: string }[];
  readonly extra_dhcp_opts: readonly ExtraDhcpOpt[];
  readonly host: string;
  readonly vnic_type: string;
  readonly vif_type: string;
  readonly vif_details: Readonly<Record<string, unknown>>;
  readonly profile: Readonly<Record<string, unknown>>;
  readonly dns_name: string;
  readonly ip_allocation: string;
  readonly description: string;
  readonly tags: readonly string[];
  /** As the tables hold them: `YYYY-MM-DD HH:MM:SS`. */
  readonly created_at: string;
  readonly updated_at: string;
  readonly revision_number: number;
}

/** Names of a port's addresses: its dns_name, or `host-` and the address. */
export function dnsAssignment(
  dnsName: string,
  fixedIps: readonly FixedIp[],
  dnsDomain: string,
): readonly DnsAssignment[] {
  const domain = dnsDomain === '' || dnsDomain.endsWith('.') ? dnsDomain : `${dnsDomain}.`;
  return fixedIps.map(({ ip_address }) => {
    const hostname = dnsName === '' ? `host-${ip_address.replace(/[.:]/g, '-')}` : dnsName;
    return { ip_address, hostname, fqdn: domain === '' ? hostname : `${hostname}.${domain}` };
  });
}

/** Fixed IPs in the order in which they are shown: by subnet, then by address, as the tables' keys have them. */
export function inShownOrder(fixedIps: readonly FixedIp[]): readonly FixedIp[] {
  if (fixedIps.length < 2) return fixedIps;
  const key = ({ subnet_id, ip_address }: FixedIp) => {
    const ip = parseIp(ip_address);
    return `${subnet_id} ${ip ? addressKey(ip.version, ip.value) : ip_address}`;
  };
  return [...fixedIps].sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

/** A port as the API shows it and as agents are told of it. */
export function portDocument(parts: PortParts, dnsDomain: string): Document {
  return {
    id: parts.id,
    name: parts.name,
    network_id: parts.network_id,
    tenant_id: parts.project_id,
    project_id: parts.project_id,
    mac_address: parts.mac_address,
    admin_state_up: parts.admin_state_up,
    status: parts.status,
    device_id: parts.device_id,
    device_owner: parts.device_owner,
    fixed_ips: parts.fixed_ips,
    allowed_address_pairs: parts.allowed_address_pairs,
    extra_dhcp_opts: parts.extra_dhcp_opts,
    security_groups: parts.security_groups,
    description: parts.description,
    'binding:vnic_type': parts.vnic_type,
    'binding:profile': parts.profile,
    'binding:host_id': parts.host,
    'binding:vif_type': parts.vif_type,
    'binding:vif_details': parts.vif_details,
    port_security_enabled: parts.port_security_enabled,
    dns_name: parts.dns_name,
    dns_assignment: dnsAssignment(parts.dns_name, parts.fixed_ips, dnsDomain),
    qos_policy_id: null,
    qos_network_policy_id: null,
    resource_request: null,
    tags: parts.tags,
    ip_allocation: parts.ip_allocation,
    created_at: timeShown(parts.created_at),
    updated_at: timeShown(parts.updated_at),
    revision_number: parts.revision_number,
  };
}

const SUBSTRING_ESCAPE = /[\\%_]/g;

/** `fixed_ips=ip_address=A`, `subnet_id=S`, `ip_address_substr=T`: kinds are all demanded, values of a kind are alternatives. */
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

/** How lists of ports are found. */
export const PORT_LIST: ListPlan = {
  resource: PORT,
  table: 'ports',
  from: sql`from ports inner join standardattributes on standardattributes.id = ports.standard_attr_id
    inner join ml2_port_bindings on ml2_port_bindings.port_id = ports.id`,
  conditions: {
    fixed_ips: fixedIpCondition,
    security_groups: (values) =>
      sql`exists (select 1 from securitygroupportbindings g where g.port_id = ports.id and g.security_group_id in (${sql.join(values)}))`,
    port_security_enabled: (values) =>
      sql`exists (select 1 from portsecuritybindings s where s.port_id = ports.id and ${columnIn(
        's.port_security_enabled',
        values.map((v) => PORT.attributes.admin_state_up.type.filter?.(v)),
      )})`,
    dns_name: (values) =>
      sql`coalesce((select d.dns_name from portdnses d where d.port_id = ports.id), '') in (${sql.join(values)})`,
    ...tagConditions('ports'),
  },
};

/** Which ports a caller sees: all for an administrator, else its own and those on its networks. For queries on `ports`. */
export function visiblePorts(context: RequestContext): RawBuilder<SqlBool> {
  if (context.isAdmin) return sql<SqlBool>`1 = 1`;
  return sql<SqlBool>`(ports.project_id = ${context.projectId}
    or exists (select 1 from networks n where n.id = ports.network_id and n.project_id = ${context.projectId}))`;
}

/** What ports are made of, by id. */
export async function portParts(db: Queries, ids: readonly string[]): Promise<ReadonlyMap<string, PortParts>> {
  if (ids.length === 0) return new Map();
  const list = [...ids];
  const rows = await db
    .selectFrom('ports')
    .innerJoin('standardattributes as sa', 'sa.id', 'ports.standard_attr_id')
    .innerJoin('ml2_port_bindings as b', 'b.port_id', 'ports.id')
    .leftJoin('portsecuritybindings as ps', 'ps.port_id', 'ports.id')
    .leftJoin('portdnses as dns', 'dns.port_id', 'ports.id')
    .selectAll('ports')
    .select([
      'sa.description',
      'sa.revision_number',
      'sa.created_at',
      'sa.updated_at',
      'ps.port_security_enabled',
      'dns.dns_name',
    ])
    .select(['b.host', 'b.vif_type', 'b.vnic_type', 'b.profile', 'b.vif_details'])
    .where('ports.id', 'in', list)
    .execute();
  if (rows.length === 0) return new Map();
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
    rows.map((r) => r.standard_attr_id),
  );
  const parts = new Map<string, PortParts>();
  for (const row of rows)
    parts.set(row.id, {
      ...row,
      admin_state_up: row.admin_state_up === 1,
      port_security_enabled: row.port_security_enabled !== 0,
      dns_name: row.dns_name ?? '',
      profile: JSON.parse(row.profile) as Record<string, unknown>,
      vif_details: JSON.parse(row.vif_details) as Record<string, unknown>,
      revision_number: Number(row.revision_number),
      fixed_ips: (addresses.get(row.id) ?? []).map(({ subnet_id, ip_address }) => ({ subnet_id, ip_address })),
      security_groups: (groups.get(row.id) ?? []).map((g) => g.security_group_id),
      allowed_address_pairs: (pairs.get(row.id) ?? []).map(({ mac_address, ip_address }) => ({
        mac_address,
        ip_address,
      })),
      extra_dhcp_opts: (opts.get(row.id) ?? []).map(({ opt_name, opt_value, ip_version }) => ({
        opt_name,
        opt_value,
        ip_version: ip_version as 4 | 6,
      })),
      tags: tags.get(Number(row.standard_attr_id)) ?? [],
    });
  return parts;
}

/** Documents of ports by id. */
export async function portDocuments(
  db: Queries,
  config: Config,
  ids: readonly string[],
): Promise<ReadonlyMap<string, Document>> {
  const parts = await portParts(db, ids);
  return new Map([...parts].map(([id, p]) => [id, portDocument(p, config.DEFAULT.dns_domain)]));
}
