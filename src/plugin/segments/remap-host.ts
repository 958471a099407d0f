import type { Trx } from '../../db/database.ts';
import { EVENTS } from '../../rpc/events.ts';
import { mapHost } from '../../scheduler/segment-hosts.ts';
import { enqueueNotification } from '../events.ts';

/** Segments per query. */
const CHUNK = 500;

/**
 * Records again which segments a host reaches. Routed networks with DHCP on segments that it gained or lost are scheduled, and
 * their agents are notified, because other subnets are local to the host.
 */
export async function remapHost(trx: Trx, host: string): Promise<void> {
  const changed = await mapHost(trx, host);
  const networks = new Set<string>();
  for (let at = 0; at < changed.length; at += CHUNK) {
    const rows = await trx
      .selectFrom('subnets')
      .innerJoin('networks', 'networks.id', 'subnets.network_id')
      .select('network_id')
      .distinct()
      .where('segment_id', 'in', changed.slice(at, at + CHUNK))
      .where('enable_dhcp', '=', 1)
      .where('networks.admin_state_up', '=', 1)
      .execute();
    for (const { network_id } of rows) networks.add(network_id);
  }
  for (const id of networks)
    await enqueueNotification(
      trx,
      EVENTS.network_segments_changed,
      { network: { id, admin_state_up: true } },
      { network: id },
    );
}
