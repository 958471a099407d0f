import { sql } from 'kysely';
import type { Queries } from '../../db/database.ts';
import type { DocumentOf } from '../../resources/attribute.ts';
import type { NatProtocol } from '../../resources/nat-protocols.ts';
import type { PORT_FORWARDING } from '../../resources/port-forwarding.ts';
import type { Conditions } from '../../store/listing.ts';
import { parseRange, rangeText } from './ranges.ts';

export type PortForwardingDocument = DocumentOf<typeof PORT_FORWARDING>;

const PORTS = /^\d{1,5}(:\d{1,5})?$/;

/** Rows whose external ports are exactly one of these. */
const external = (values: readonly string[]) => {
  const ranges = values.filter((value) => PORTS.test(value)).map(parseRange);
  if (ranges.length === 0) return sql<boolean>`1 = 0`;
  const same = ranges.map(
    ({ first, last }) =>
      sql`portforwardings.external_port_start = ${first} and portforwardings.external_port_end = ${last}`,
  );
  return sql<boolean>`(${sql.join(same, sql` or `)})`;
};

/** Filters of port forwardings that are not plain columns. */
export const PORT_FORWARDING_CONDITIONS: Conditions = { external_port: external, external_port_range: external };

/** Loads the documents of port forwardings by id. */
export async function portForwardingDocuments(
  db: Queries,
  ids: readonly string[],
): Promise<ReadonlyMap<string, PortForwardingDocument>> {
  if (ids.length === 0) return new Map();
  const rows = await db
    .selectFrom('portforwardings as p')
    .innerJoin('standardattributes as s', 's.id', 'p.standard_attr_id')
    .selectAll('p')
    .select('s.description')
    .where('p.id', 'in', [...ids])
    .execute();
  return new Map(
    rows.map((row): [string, PortForwardingDocument] => {
      const internal = { first: row.internal_port_start, last: row.internal_port_end };
      const outside = { first: row.external_port_start, last: row.external_port_end };
      return [
        row.id,
        {
          id: row.id,
          protocol: row.protocol as NatProtocol,
          internal_ip_address: row.internal_ip_address,
          internal_port_id: row.internal_neutron_port_id,
          internal_port: internal.first === internal.last ? internal.first : null,
          internal_port_range: rangeText(internal),
          external_port: outside.first === outside.last ? outside.first : null,
          external_port_range: rangeText(outside),
          description: row.description,
        },
      ];
    }),
  );
}
