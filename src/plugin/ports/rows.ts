import { randomUUID } from 'node:crypto';
import type { InsertResult } from 'kysely';
import type { Trx } from '../../db/database.ts';
import { prepared } from '../../db/prepared.ts';
import type { ExtraDhcpOpts, Ml2PortBindingLevels } from '../../db/schema.ts';
import type { AddressPair, ExtraDhcpOpt } from '../../resources/port-types.ts';
import type { Binding } from './binding.ts';
import type { NetworkFacts } from './network-facts.ts';

const level = prepared<Ml2PortBindingLevels, InsertResult>((db, p) =>
  db.insertInto('ml2_port_binding_levels').values({
    port_id: p('port_id'),
    host: p('host'),
    level: p('level'),
    driver: p('driver'),
    segment_id: p('segment_id'),
  }),
);

/** Stores the mechanism that binds a port to its host, if any. */
export async function insertBindingLevel(
  trx: Trx,
  portId: string,
  { segmentId }: NetworkFacts,
  { host, driver }: Binding,
): Promise<void> {
  if (driver === undefined || segmentId === null) return;
  await level(trx, { port_id: portId, host, level: 0, driver, segment_id: segmentId });
}

const group = prepared<{ port_id: string; group: string }, InsertResult>((db, p) =>
  db.insertInto('securitygroupportbindings').values({ port_id: p('port_id'), security_group_id: p('group') }),
);

/** Adds a port to security groups. */
export async function insertSecurityGroups(trx: Trx, portId: string, groups: readonly string[]): Promise<void> {
  for (const id of groups) await group(trx, { port_id: portId, group: id });
}

/** Stores a port's allowed address pairs. */
export async function insertAddressPairs(trx: Trx, portId: string, pairs: readonly AddressPair[]): Promise<void> {
  const rows = pairs.map((pair) => ({ port_id: portId, ...pair }));
  if (rows.length > 0) await trx.insertInto('allowedaddresspairs').values(rows).execute();
}

/** Stores a port's DHCP options. */
export async function insertDhcpOpts(trx: Trx, portId: string, opts: readonly ExtraDhcpOpt[]): Promise<void> {
  const rows = opts.map((opt): ExtraDhcpOpts => ({ id: randomUUID(), port_id: portId, ...opt }));
  if (rows.length > 0) await trx.insertInto('extradhcpopts').values(rows).execute();
}
