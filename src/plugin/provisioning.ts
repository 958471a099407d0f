import type { InsertResult } from 'kysely';
import type { Trx } from '../db/database.ts';
import { prepared } from '../db/prepared.ts';

/** Who may hold a port back from ACTIVE: its L2 agent until it is wired, its DHCP agent until DHCP answers. */
export type ProvisioningEntity = 'L2' | 'DHCP';

/**
 * What holds a new (or newly bound) port back. L2: bound to a host, whose agent will say when it is wired.
 * DHCP: the network is on a DHCP agent and the port has an address in a subnet with DHCP; DHCP's own ports are not held back.
 */
export function blocksFor(port: {
  readonly bound: boolean;
  readonly deviceOwner: string;
  readonly hasDhcpAddress: boolean;
  readonly networkScheduled: boolean;
}): readonly ProvisioningEntity[] {
  const dhcp = port.hasDhcpAddress && port.networkScheduled && port.deviceOwner !== 'network:dhcp';
  return [...(port.bound ? (['L2'] as const) : []), ...(dhcp ? (['DHCP'] as const) : [])];
}

const insert = prepared<{ id: number; entity: ProvisioningEntity }, InsertResult>((db, p) =>
  db
    .insertInto('provisioningblocks')
    .ignore()
    .values({ standard_attr_id: p('id'), entity: p('entity') }),
);

/** Holds a port back for these entities; those that hold it already are no error. */
export async function addBlocks(
  trx: Trx,
  standardAttrId: number,
  entities: readonly ProvisioningEntity[],
): Promise<void> {
  for (const entity of entities) await insert(trx, { id: standardAttrId, entity });
}
