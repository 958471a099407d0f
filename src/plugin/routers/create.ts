import { randomUUID } from 'node:crypto';
import type { Caller } from '../../auth/contract.ts';
import type { Trx } from '../../db/database.ts';
import type { AddressAllocator } from '../../ipam/allocate.ts';
import type { CreateOf } from '../../resources/attribute.ts';
import { neutronError } from '../../resources/errors.ts';
import { ROUTER } from '../../resources/router.ts';
import { L3_AGENTS } from '../../scheduler/agent-kinds.ts';
import { requireZones } from '../../scheduler/zones.ts';
import { insertPlain, plainOf, updatePlain } from '../../store/rows.ts';
import { bumpRevision, newStandard } from '../../store/standard-attributes.ts';
import type { Core } from '../core.ts';
import { providerOfFlavor } from '../flavors/provider-of-flavor.ts';
import { assignHaRouter } from '../ha-routers/assign.ts';
import { joinHaNetwork } from '../ha-routers/membership.ts';
import { inserted } from '../module.ts';
import { enqueueRouterUpdate } from '../router-events.ts';
import { lockRouter } from '../router-lock.ts';
import { type RouterDocument, routerDocuments } from './documents.ts';
import { rejectBothGateways } from './gateway-requests.ts';
import { setGateway, setGateways } from './gateways.ts';
import { newNdpProxyState } from './ndp-proxy.ts';

export type RouterCreate = CreateOf<typeof ROUTER>;

/** Returns what kind of router a request asks for. Throws InvalidInput if its flavor does not support it. */
async function kindOf(trx: Trx, { config, db }: Core, { ha, distributed, flavor_id }: RouterCreate) {
  if (flavor_id === null) {
    const { l3_ha, router_distributed } = config.DEFAULT;
    return { ha: ha ?? l3_ha, distributed: distributed ?? router_distributed };
  }
  const provider = await providerOfFlavor(trx, db, flavor_id);
  for (const [key, wanted] of Object.entries({ ha, distributed }))
    if (wanted !== undefined && wanted !== provider[key as 'ha' | 'distributed'])
      throw neutronError('InvalidInput', {
        reason: `routers with ${key} = ${wanted} are not for service provider ${provider.name}`,
      });
  return { ha: provider.ha, distributed: provider.distributed };
}

/** Creates a router in the caller's transaction and notifies agents. Throws NeutronError for invalid values. */
export async function createRouter(
  trx: Trx,
  core: Core,
  allocator: AddressAllocator,
  caller: Caller,
  values: RouterCreate,
): Promise<RouterDocument> {
  rejectBothGateways(values);
  await requireZones(trx, L3_AGENTS, values.availability_zone_hints);
  const id = randomUUID();
  const { external_gateways: gateways, enable_default_route_bfd: bfd, enable_default_route_ecmp: ecmp } = values;
  const multihomed = [gateways, bfd, ecmp].some((value) => value !== undefined && value !== null);
  const kind = await kindOf(trx, core, values);
  const { attr } = await insertPlain(trx, ROUTER, {
    ...plainOf(ROUTER, values),
    ...kind,
    id,
    status: 'ACTIVE',
    enable_ndp_proxy: null,
    enable_default_route_bfd: multihomed ? (bfd ?? false) : null,
    enable_default_route_ecmp: multihomed ? (ecmp ?? false) : null,
    ...newStandard(1),
  });
  const change = { trx, core, allocator, caller, router: await lockRouter(trx, core.db, id) };
  if (kind.ha) await joinHaNetwork(trx, core, allocator, { id, project_id: values.project_id });
  const wanted = values.external_gateway_info;
  const revisions = gateways
    ? await setGateways(
        change,
        gateways.map((one) => ({ wanted: one })),
      )
    : wanted
      ? await setGateway(change, wanted)
      : 0;
  const { enable_ndp_proxy_by_default: byDefault } = core.config.DEFAULT;
  const enable_ndp_proxy = await newNdpProxyState(trx, id, values.enable_ndp_proxy, byDefault);
  if (enable_ndp_proxy !== null) await updatePlain(trx, ROUTER, { id, attr }, { enable_ndp_proxy });
  if (revisions > 0) await bumpRevision(trx, attr, undefined, undefined, revisions);
  if (revisions > 0) await enqueueRouterUpdate(trx, id);
  if (kind.ha) await assignHaRouter(trx, core, allocator, id);
  return inserted((await routerDocuments(trx, [id])).get(id), 'router', id);
}
