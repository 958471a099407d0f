import type { Trx } from '../../db/database.ts';
import { AUTOMATIC_OWNERS } from '../../net/device-owners.ts';
import { EVENTS } from '../../rpc/events.ts';
import { enqueueNotification } from '../events.ts';
import { releaseTranslations } from './translations.ts';

const SHOWN = 20;

/** Returns ids of ports that prevent the deletion of a network; a limited number of them. */
export async function portsInUse(trx: Trx, networkId: string): Promise<readonly string[]> {
  const rows = await trx
    .selectFrom('ports')
    .select('id')
    .where('network_id', '=', networkId)
    .where('device_owner', 'not in', [...AUTOMATIC_OWNERS])
    .limit(SHOWN)
    .execute();
  return rows.map((r) => r.id);
}

/** Deletes the ports of a network that agents created for themselves. */
export async function deleteAutomaticPorts(trx: Trx, networkId: string): Promise<void> {
  const rows = await trx
    .selectFrom('ports')
    .select(['id', 'standard_attr_id'])
    .where('network_id', '=', networkId)
    .where('device_owner', 'in', [...AUTOMATIC_OWNERS])
    .execute();
  if (rows.length === 0) return;
  for (const { id } of rows) await releaseTranslations(trx, id);
  await trx
    .deleteFrom('ports')
    .where(
      'id',
      'in',
      rows.map((r) => r.id),
    )
    .execute();
  await trx
    .deleteFrom('standardattributes')
    .where(
      'id',
      'in',
      rows.map((r) => r.standard_attr_id),
    )
    .execute();
  for (const { id } of rows)
    await enqueueNotification(trx, EVENTS.port_delete, { port_id: id }, { network: networkId });
}
