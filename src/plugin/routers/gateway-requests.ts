import { neutronError } from '../../resources/errors.ts';
import type { WantedGateway } from '../../resources/router-types.ts';
import type { AttachedPort } from './attached.ts';
import { type GatewayChange, gatewayPorts, type Wish } from './gateways.ts';

/** Which gateways of a router the requests with several of them are about (extension external-gateway-multihoming). */

/** Throws BadRequest for a request with both attributes: the first gateway would be said twice. */
export function rejectBothGateways(values: {
  readonly external_gateway_info?: WantedGateway | null | undefined;
  readonly external_gateways?: readonly WantedGateway[] | undefined;
}): void {
  const { external_gateway_info: one, external_gateways: all } = values;
  if (one !== undefined && one !== null && all !== undefined)
    throw neutronError('BadRequest', {
      resource: 'router',
      reason: 'external_gateway_info and external_gateways cannot both be specified',
    });
}

/** Returns the gateway with one of the wanted addresses or, if none are named or it has none of them, the first on the network. */
function portOf(ports: readonly AttachedPort[], wanted: WantedGateway): AttachedPort | undefined {
  const own = ports.filter(({ networkId }) => networkId === wanted.network_id);
  const addresses = new Set((wanted.external_fixed_ips ?? []).flatMap((ip) => ip.ip_address ?? []));
  return own.find(({ fixedIps }) => fixedIps.some((ip) => addresses.has(ip.ip_address))) ?? own[0];
}

/** Returns a wish for each gateway of a request, with the existing port that it is about, if there is one. */
export async function matched(
  { trx, router }: GatewayChange,
  gateways: readonly WantedGateway[],
): Promise<readonly (Wish & { readonly wanted: WantedGateway })[]> {
  let left = await gatewayPorts(trx, router);
  return gateways.map((wanted) => {
    const port = portOf(left, wanted);
    left = left.filter((one) => one !== port);
    return port ? { wanted, port } : { wanted };
  });
}

/** As `matched`; throws BadRequest for gateways that the router does not have. */
async function existing(change: GatewayChange, gateways: readonly WantedGateway[]) {
  const wishes = await matched(change, gateways);
  return wishes.map(({ wanted, port }) => {
    if (port) return { wanted, port };
    throw neutronError('BadRequest', {
      resource: 'router',
      reason: `Unable to match a requested gateway on network ${wanted.network_id} to the gateways of router ${change.router.id}`,
    });
  });
}

/** Returns the gateways of the router and those of the request. */
export async function withAdded(change: GatewayChange, gateways: readonly WantedGateway[]): Promise<readonly Wish[]> {
  const current = await gatewayPorts(change.trx, change.router);
  return [...current.map((port) => ({ port })), ...gateways.map((wanted) => ({ wanted }))];
}

/** Returns the gateways of the router, some of them with changes. */
export async function withUpdated(change: GatewayChange, gateways: readonly WantedGateway[]): Promise<readonly Wish[]> {
  const wishes = await existing(change, gateways);
  const current = await gatewayPorts(change.trx, change.router);
  return current.map((port) => wishes.find((wish) => wish.port.id === port.id) ?? { port });
}

/** Returns the gateways of the router without those of the request. */
export async function withRemoved(change: GatewayChange, gateways: readonly WantedGateway[]): Promise<readonly Wish[]> {
  const gone = new Set((await existing(change, gateways)).map(({ port }) => port.id));
  const current = await gatewayPorts(change.trx, change.router);
  return current.filter(({ id }) => !gone.has(id)).map((port) => ({ port }));
}
