import { type RawBuilder, type SqlBool, sql } from 'kysely';
import type { Queries } from '../db/database.ts';
import { tapName } from '../net/device-names.ts';
import { MAC, UUID } from '../net/patterns.ts';
import { isBound } from '../plugin/provisioning.ts';
import { groupBy } from '../store/listing.ts';

/** The port of a device of an L2 agent. */
export interface DevicePort {
  readonly id: string;
  /** Whether the port is bound to the agent's host. */
  readonly here: boolean;
  /** Whether its binding to the agent's host has failed. */
  readonly failed: boolean;
}

const TAP = /^tap[0-9a-f-]{11}$/;
/** Maximum number of devices in one query. */
const CHUNK = 100;

/**
 * Condition on the ports that a device name can refer to: by the start of the id (`tap` and 11 characters), the id, or the MAC.
 */
function candidates(device: string): RawBuilder<SqlBool> | undefined {
  if (UUID.test(device)) return sql<SqlBool>`ports.id = ${device}`;
  if (MAC.test(device)) return sql<SqlBool>`ports.mac_address = ${device}`;
  if (!TAP.test(device)) return undefined;
  const prefix = device.slice(3);
  // A range condition, so that the primary key is used; all characters of ids sort before `g`.
  return sql<SqlBool>`(ports.id >= ${prefix} and ports.id < ${`${prefix}g`})`;
}

/**
 * Returns the ports of devices by device; devices without a port are missing. Of several ports (the same MAC on two networks),
 * the one that is bound to the host is returned.
 */
export async function portsOfDevices(
  db: Queries,
  devices: readonly string[],
  host: string,
): Promise<ReadonlyMap<string, DevicePort>> {
  const found = new Map<string, DevicePort>();
  for (let at = 0; at < devices.length; at += CHUNK) {
    const some = devices.slice(at, at + CHUNK);
    const wanted = some.flatMap((device) => candidates(device.toLowerCase()) ?? []);
    if (wanted.length === 0) continue;
    const rows = await db
      .selectFrom('ports')
      .innerJoin('ml2_port_bindings as b', (join) =>
        join.onRef('b.port_id', '=', 'ports.id').on('b.status', '=', 'ACTIVE'),
      )
      .select(['ports.id', 'ports.mac_address', 'b.host', 'b.vif_type'])
      .where(sql<SqlBool>`(${sql.join(wanted, sql` or `)})`)
      .execute();
    const byName = groupBy(
      rows.flatMap((row) => [row.id, row.mac_address, tapName(row.id)].map((name) => ({ name, row }))),
      ({ name }) => name,
    );
    for (const device of some) {
      const ports = (byName.get(device.toLowerCase()) ?? []).map(({ row }) => ({
        id: row.id,
        here: row.host === host && isBound(row.vif_type),
        failed: row.host === host && row.vif_type === 'binding_failed',
      }));
      const port = ports.find(({ here }) => here) ?? ports.find(({ failed }) => failed) ?? ports[0];
      if (port) found.set(device, port);
    }
  }
  return found;
}
