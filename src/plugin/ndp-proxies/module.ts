import { randomUUID } from 'node:crypto';
import type { Caller } from '../../auth/contract.ts';
import type { Queries, Trx } from '../../db/database.ts';
import type { CreateOf, DocumentOf } from '../../resources/attribute.ts';
import { neutronError } from '../../resources/errors.ts';
import { NDP_PROXY } from '../../resources/ndp-proxy.ts';
import { PORT } from '../../resources/port.ts';
import { ROUTER } from '../../resources/router.ts';
import { deletePlain, insertMain, insertStandard, plainOf, updatePlain } from '../../store/rows.ts';
import { selectPlain } from '../../store/select.ts';
import { bumpRevision, newStandard, requireRevision } from '../../store/standard-attributes.ts';
import type { Core } from '../core.ts';
import { inserted, type ResourceModule } from '../module.ts';
import { enqueueRouterUpdate } from '../router-events.ts';
import { lockRouter } from '../router-lock.ts';
import { attachedPorts, isGateway } from '../routers/attached.ts';
import { ipv6Scope } from '../routers/ndp-proxy.ts';
import { requireVisible, visiblePorts } from '../visibility.ts';
import { announcedAddress } from './address.ts';

async function load(db: Queries, ids: readonly string[]): Promise<ReadonlyMap<string, DocumentOf<typeof NDP_PROXY>>> {
  const rows = await selectPlain(db, NDP_PROXY, ids);
  return new Map(rows.map(({ id, shown }) => [id, shown]));
}

/** Returns the row of an NDP proxy. Throws NDPProxyNotFound. */
async function requireRow(trx: Trx, { db }: Core, id: string) {
  const row = await db.locked(trx.selectFrom('ndp_proxies').selectAll().where('id', '=', id)).executeTakeFirst();
  if (!row) throw neutronError('NDPProxyNotFound', { id });
  return row;
}

/**
 * Returns the address to announce, with the port and the router locked, so that both stay. Throws NeutronError if the router cannot
 * announce it.
 */
async function checkedAddress(
  trx: Trx,
  { db }: Core,
  caller: Caller,
  { port_id: port, router_id: router, ip_address: wanted }: CreateOf<typeof NDP_PROXY>,
): Promise<string> {
  await requireVisible(trx, caller, PORT, port, visiblePorts);
  await requireVisible(trx, caller, ROUTER, router);
  const row = await db.locked(trx.selectFrom('ports').select('network_id').where('id', '=', port)).executeTakeFirst();
  if (!row) throw neutronError('PortNotFound', { id: port });
  await lockRouter(trx, db, router);
  const attached = await attachedPorts(trx, router);
  const interfaces = attached.filter(({ networkId }) => networkId === row.network_id);
  if (interfaces.length === 0) throw neutronError('PortUnreachableRouter', { port, router });
  const state = await trx
    .selectFrom('router_ndp_proxy_state')
    .select('enable_ndp_proxy')
    .where('router_id', '=', router)
    .executeTakeFirst();
  const gateway = attached.find(isGateway);
  if (state?.enable_ndp_proxy !== 1 || !gateway) throw neutronError('RouterNDPProxyNotEnable', { router });
  const address = await announcedAddress(trx, { portId: port, routerId: router, interfaces }, wanted);
  const external = (await ipv6Scope(trx, gateway.networkId)) ?? 'None';
  const internal = (await ipv6Scope(trx, row.network_id)) ?? 'None';
  // Otherwise packets cannot be routed between them.
  if (external !== internal) throw neutronError('AddressScopeConflict', { external, internal });
  return address;
}

/** NDP proxies of routers. */
export const ndpProxyModule = (core: Core): ResourceModule<typeof NDP_PROXY> => ({
  resource: NDP_PROXY,
  load,
  async create(trx, caller, values) {
    const ip_address = await checkedAddress(trx, core, caller, values);
    const id = randomUUID();
    const row = { ...plainOf(NDP_PROXY, values), id, ip_address, ...newStandard() };
    const attr = await insertStandard(trx, NDP_PROXY, row);
    if (!(await insertMain(trx, NDP_PROXY, row, attr)))
      throw neutronError('NeutronDbObjectDuplicateEntry', {
        resource: 'NDPProxy',
        attributes: 'router_id, ip_address',
        values: `${values.router_id}, ${ip_address}`,
      });
    await enqueueRouterUpdate(trx, values.router_id);
    return inserted((await load(trx, [id])).get(id), 'ndp_proxy', id);
  },
  async update(trx, _caller, id, changes, revision) {
    const { standard_attr_id: attr } = await requireRow(trx, core, id);
    await requireRevision(trx, attr, revision);
    await updatePlain(trx, NDP_PROXY, { id, attr }, plainOf(NDP_PROXY, changes));
    await bumpRevision(trx, attr, revision);
    return inserted((await load(trx, [id])).get(id), 'ndp_proxy', id);
  },
  async delete(trx, _caller, id, revision) {
    const { standard_attr_id: attr, router_id } = await requireRow(trx, core, id);
    await requireRevision(trx, attr, revision);
    await deletePlain(trx, NDP_PROXY, id);
    await enqueueRouterUpdate(trx, router_id);
  },
});
