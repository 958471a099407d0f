import type { Queries } from '../../db/database.ts';
import type { DocumentOf } from '../../resources/attribute.ts';
import { FLOATINGIP, type PortDetails } from '../../resources/floatingip.ts';
import type { NatProtocol } from '../../resources/nat-protocols.ts';
import type { PortForwardingSummary } from '../../resources/port-forwarding.ts';
import { groupBy, tagConditions, tagsOf } from '../../store/listing.ts';
import { selectPlain } from '../../store/select.ts';

export type FloatingIpDocument = DocumentOf<typeof FLOATINGIP>;

/** Filters of floating IPs that are not plain columns. */
export const FLOATINGIP_CONDITIONS = tagConditions('floatingips');

async function portDetails(db: Queries, ids: readonly string[]): Promise<ReadonlyMap<string, PortDetails>> {
  if (ids.length === 0) return new Map();
  const rows = await db
    .selectFrom('ports')
    .select(['id', 'name', 'network_id', 'mac_address', 'admin_state_up', 'status', 'device_id', 'device_owner'])
    .where('id', 'in', [...ids])
    .execute();
  return new Map(rows.map(({ id, admin_state_up: up, ...details }) => [id, { ...details, admin_state_up: up === 1 }]));
}

/** Returns the port forwardings of floating IPs, as their documents show them. */
async function forwardings(
  db: Queries,
  ids: readonly string[],
): Promise<ReadonlyMap<string, readonly PortForwardingSummary[]>> {
  const rows = await db
    .selectFrom('portforwardings')
    .selectAll()
    .where('floatingip_id', 'in', [...ids])
    .orderBy('id')
    .execute();
  const summaries = rows.map((row) => ({
    floatingIp: row.floatingip_id,
    summary: {
      id: row.id,
      protocol: row.protocol as NatProtocol,
      internal_ip_address: row.internal_ip_address,
      internal_port_id: row.internal_neutron_port_id,
      // As in Neutron, ranges are not shown here.
      ...(row.external_port_start === row.external_port_end ? { external_port: row.external_port_start } : {}),
      ...(row.internal_port_start === row.internal_port_end ? { internal_port: row.internal_port_start } : {}),
    },
  }));
  return new Map(
    [...groupBy(summaries, ({ floatingIp }) => floatingIp)].map(([id, own]) => [id, own.map(({ summary }) => summary)]),
  );
}

/** Loads the documents of floating IPs by id. */
export async function floatingIpDocuments(
  db: Queries,
  ids: readonly string[],
): Promise<ReadonlyMap<string, FloatingIpDocument>> {
  const rows = await selectPlain(db, FLOATINGIP, ids);
  if (rows.length === 0) return new Map();
  const ports = await portDetails(
    db,
    rows.flatMap(({ shown }) => shown.port_id ?? []),
  );
  const forwarded = await forwardings(
    db,
    rows.map(({ id }) => id),
  );
  const tags = await tagsOf(
    db,
    rows.map(({ attr }) => attr),
  );
  return new Map(
    rows.map(({ id, attr, shown }): [string, FloatingIpDocument] => [
      id,
      {
        ...shown,
        port_details: ports.get(shown.port_id ?? '') ?? null,
        port_forwardings: forwarded.get(id) ?? [],
        dns_name: '',
        dns_domain: '',
        tags: tags.get(attr) ?? [],
      },
    ]),
  );
}
