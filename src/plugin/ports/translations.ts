import type { Trx } from '../../db/database.ts';
import { groupBy } from '../../store/listing.ts';
import { bumpRevision } from '../../store/standard-attributes.ts';
import { enqueueRouterUpdate } from '../router-events.ts';

/** What routers do for the fixed IPs of a port: floating IPs, port forwardings and NDP proxies. */

type Lost = (address: string | null) => boolean;

/** Disassociates the floating IPs of lost addresses; returns their routers. */
async function disassociate(trx: Trx, portId: string, lost: Lost): Promise<readonly (string | null)[]> {
  const rows = await trx.selectFrom('floatingips').selectAll().where('fixed_port_id', '=', portId).execute();
  const gone = rows.filter((row) => lost(row.fixed_ip_address));
  for (const { id, router_id, standard_attr_id } of gone) {
    await trx
      .updateTable('floatingips')
      .set({
        fixed_port_id: null,
        fixed_ip_address: null,
        router_id: null,
        last_known_router_id: router_id,
        status: 'DOWN',
      })
      .where('id', '=', id)
      .execute();
    await bumpRevision(trx, standard_attr_id);
  }
  return gone.map((row) => row.router_id);
}

/** Takes floating IPs off their routers that have no port forwardings any more. */
export async function releaseUnusedFloatingIp(trx: Trx, floatingIpId: string): Promise<void> {
  const left = await trx
    .selectFrom('portforwardings')
    .select('id')
    .where('floatingip_id', '=', floatingIpId)
    .limit(1)
    .executeTakeFirst();
  if (left) return;
  await trx
    .updateTable('floatingips')
    .set({ router_id: null, status: 'DOWN' })
    .where('id', '=', floatingIpId)
    .where('fixed_port_id', 'is', null)
    .execute();
}

/** Deletes the port forwardings to lost addresses; returns their routers. */
async function deleteForwardings(trx: Trx, portId: string, lost: Lost): Promise<readonly (string | null)[]> {
  const rows = await trx
    .selectFrom('portforwardings as p')
    .innerJoin('floatingips as f', 'f.id', 'p.floatingip_id')
    .select([
      'p.standard_attr_id',
      'p.floatingip_id',
      'p.internal_ip_address',
      'f.router_id',
      'f.standard_attr_id as owner',
    ])
    .where('p.internal_neutron_port_id', '=', portId)
    .execute();
  const gone = rows.filter((row) => lost(row.internal_ip_address));
  for (const { standard_attr_id } of gone)
    await trx.deleteFrom('standardattributes').where('id', '=', standard_attr_id).execute();
  for (const [id, [row]] of groupBy(gone, (one) => one.floatingip_id)) {
    await releaseUnusedFloatingIp(trx, id);
    if (row) await bumpRevision(trx, row.owner);
  }
  return gone.map((row) => row.router_id);
}

/** Deletes the NDP proxies of lost addresses; returns their routers. */
async function deleteNdpProxies(trx: Trx, portId: string, lost: Lost): Promise<readonly string[]> {
  const rows = await trx.selectFrom('ndp_proxies').selectAll().where('port_id', '=', portId).execute();
  const gone = rows.filter((row) => lost(row.ip_address));
  for (const { standard_attr_id } of gone)
    await trx.deleteFrom('standardattributes').where('id', '=', standard_attr_id).execute();
  return gone.map((row) => row.router_id);
}

/**
 * Ends what routers do for addresses that a port loses, and notifies the routers' agents. `kept`: addresses that it keeps; default:
 * none.
 */
export async function releaseTranslations(trx: Trx, portId: string, kept: readonly string[] = []): Promise<void> {
  const lost: Lost = (address) => address === null || !kept.includes(address);
  const routers = new Set([
    ...(await disassociate(trx, portId, lost)),
    ...(await deleteForwardings(trx, portId, lost)),
    ...(await deleteNdpProxies(trx, portId, lost)),
  ]);
  for (const router of routers) if (router !== null) await enqueueRouterUpdate(trx, router);
}
