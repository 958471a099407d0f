import type { Queries, Trx } from '../../db/database.ts';
import { neutronError } from '../../resources/errors.ts';
import { scopesOfNetworks } from '../subnetpools/scope.ts';
import { type AttachedPort, attachedPorts, hasIpv6, isGateway } from './attached.ts';

/** Whether a router may announce internal IPv6 addresses to its external network (`enable_ndp_proxy`). */

/** Returns the address scope of the IPv6 subnets of a network; undefined if it has none. */
export const ipv6Scope = async (db: Queries, networkId: string): Promise<string | undefined> =>
  (await scopesOfNetworks(db, [networkId])).get(networkId)?.[6] ?? undefined;

const supports = async (trx: Trx, port: AttachedPort): Promise<boolean> =>
  hasIpv6(port) && (await ipv6Scope(trx, port.networkId)) !== undefined;

/** Throws RouterGatewayInUseByNDPProxy if the router has NDP proxies. */
async function requireNoNdpProxies(trx: Trx, router: string): Promise<void> {
  const query = trx.selectFrom('ndp_proxies').select('id').where('router_id', '=', router).limit(1);
  if (await query.executeTakeFirst()) throw neutronError('RouterGatewayInUseByNDPProxy', { router });
}

const notValid = (router: string, reason: string) => neutronError('RouterGatewayNotValid', { router, reason });

/** Returns the gateways of a router, in order of their creation. */
export const gatewaysOfRouter = async (trx: Trx, routerId: string): Promise<readonly AttachedPort[]> =>
  (await attachedPorts(trx, routerId)).filter(isGateway);

/**
 * Returns `enable_ndp_proxy` of a router after its gateways have changed; null: not set. `before`: its value and gateways before;
 * `wanted`: the value in the request. Throws RouterGatewayNotValid, RouterGatewayInUseByNDPProxy and RouterIPv6GatewayInUse.
 */
export async function ndpProxyState(
  trx: Trx,
  router: string,
  before: { readonly enabled: boolean | null; readonly gateways: readonly AttachedPort[] },
  wanted: boolean | null | undefined,
): Promise<boolean | null> {
  const gateways = await gatewaysOfRouter(trx, router);
  const left = new Set(gateways.map(({ id }) => id));
  const removed = before.gateways.some(({ id }) => !left.has(id));
  if (removed) await requireNoNdpProxies(trx, router);
  const valid = (await Promise.all(gateways.map((port) => supports(trx, port)))).includes(true);
  if (wanted === true && !valid)
    throw notValid(
      router,
      gateways.length === 0
        ? 'the router has no external gateway'
        : 'the external gateway has no IPv6 address, or its network has no IPv6 address scope',
    );
  if (wanted !== undefined) return wanted;
  // As in Neutron, it ends with the gateway.
  if (removed) return null;
  if (before.enabled === true && !valid) throw neutronError('RouterIPv6GatewayInUse', { router });
  return before.enabled;
}

/** As `ndpProxyState`, for a new router. `byDefault`: whether it is enabled where a gateway supports it. */
export async function newNdpProxyState(
  trx: Trx,
  router: string,
  wanted: boolean | null | undefined,
  byDefault: boolean,
): Promise<boolean | null> {
  const state = await ndpProxyState(trx, router, { enabled: null, gateways: [] }, wanted);
  if (wanted !== undefined || !byDefault) return state;
  const gateways = await gatewaysOfRouter(trx, router);
  return (await Promise.all(gateways.map((port) => supports(trx, port)))).includes(true) ? true : null;
}
