import type { Caller } from '../../auth/contract.ts';
import type { Trx } from '../../db/database.ts';
import type { AddressAllocator } from '../../ipam/allocate.ts';
import { ROUTER_GATEWAY_OWNER } from '../../net/device-owners.ts';
import { neutronError } from '../../resources/errors.ts';
import type { WantedFixedIp } from '../../resources/port-types.ts';
import type { WantedGateway } from '../../resources/router-types.ts';
import type { Core } from '../core.ts';
import { deletePort } from '../ports/delete.ts';
import { createServicePort } from '../ports/service-port.ts';
import { updatePort } from '../ports/update.ts';
import { requireQosPolicyChange } from '../qos/use.ts';
import type { LockedRouter } from '../router-lock.ts';
import { requireVisibleNetwork } from '../visibility.ts';
import { type AttachedPort, attachedPorts, isGateway, rejectOverlap, subnetsOfNetworks } from './attached.ts';
import { requireGatewayUnused } from './in-use.ts';
import { requireRoutesStillConnected } from './routes.ts';

/** What changes of a router's gateways need. The router is locked. */
export interface GatewayChange {
  readonly trx: Trx;
  readonly core: Core;
  readonly allocator: AddressAllocator;
  readonly caller: Caller;
  readonly router: LockedRouter;
}

const bad = (reason: string) => neutronError('BadRequest', { resource: 'router', reason });

/** Returns the gateways of a router: the one in `gw_port_id`, then the others in order of their creation. */
export async function gatewayPorts(trx: Trx, { id, gw_port_id }: LockedRouter): Promise<readonly AttachedPort[]> {
  const gateways = (await attachedPorts(trx, id)).filter(isGateway);
  return [...gateways.filter((port) => port.id === gw_port_id), ...gateways.filter((port) => port.id !== gw_port_id)];
}

/** Throws NetworkNotFound, or BadRequest if the network is not external or an address is that of its gateway. */
async function requireExternal({ trx, core, caller }: GatewayChange, wanted: WantedGateway): Promise<void> {
  const { network_id: id, external_fixed_ips: ips = [] } = wanted;
  await requireVisibleNetwork(trx, caller, id);
  // It stays external until the gateway is there: whoever changes that locks it too.
  await core.db.locked(trx.selectFrom('networks').select('id').where('id', '=', id)).execute();
  const network = await trx
    .selectFrom('networks')
    .leftJoin('externalnetworks as x', 'x.network_id', 'networks.id')
    .select(['networks.id', 'x.network_id as external'])
    .where('networks.id', '=', id)
    .executeTakeFirst();
  if (!network) throw neutronError('NetworkNotFound', { id });
  if (network.external === null) throw bad(`Network ${id} is not an external network`);
  const subnets = await subnetsOfNetworks(trx, [id]);
  for (const { ip_address: ip } of ips)
    if (ip !== undefined && subnets.some(({ gatewayIp }) => gatewayIp === ip))
      throw bad(`${ip} is the gateway_ip of the external subnet`);
}

/** Creates a gateway port; returns its id. */
async function createGateway(change: GatewayChange, wanted: WantedGateway): Promise<string> {
  const { trx, core, allocator, router } = change;
  const { network_id, external_fixed_ips: ips = [] } = wanted;
  const attached = await attachedPorts(trx, router.id);
  // Several gateways may be on one network.
  const others = attached.filter((port) => !isGateway(port) || port.networkId !== network_id);
  await rejectOverlap(trx, others, await subnetsOfNetworks(trx, [network_id]));
  const port = await createServicePort(trx, core, allocator, {
    network_id,
    // It belongs to the external network, not to a project.
    project_id: '',
    device_id: router.id,
    device_owner: ROUTER_GATEWAY_OWNER,
    ...(ips.length > 0 ? { fixed_ips: ips } : {}),
  });
  await trx
    .insertInto('routerports')
    .values({ router_id: router.id, port_id: port.id, port_type: ROUTER_GATEWAY_OWNER })
    .execute();
  return port.id;
}

/** Returns whether the request names addresses other than those that the port has. */
function asksForOthers({ fixedIps }: AttachedPort, ips: readonly WantedFixedIp[]): boolean {
  if (ips.length === 0) return false;
  const differ = (key: 'subnet_id' | 'ip_address') => {
    const wanted = new Set(ips.flatMap((ip) => ip[key] ?? []));
    return wanted.size > 0 && wanted.symmetricDifference(new Set(fixedIps.map((ip) => ip[key]))).size > 0;
  };
  return ips.length !== fixedIps.length || differ('subnet_id') || differ('ip_address');
}

/** A gateway that a router is to have: a port that it has, a new one, or a port with changes. */
export interface Wish {
  readonly port?: AttachedPort;
  /** What the request says about it; absent: it stays as it is. */
  readonly wanted?: WantedGateway;
}

/** Returns the port of a wish, with the addresses that it asks for; creates it if there is none. */
async function fulfil(change: GatewayChange, { port, wanted }: Wish): Promise<string | undefined> {
  if (!port) return wanted && createGateway(change, wanted);
  const { trx, core, allocator } = change;
  const { external_fixed_ips: fixed_ips = [] } = wanted ?? {};
  if (asksForOthers(port, fixed_ips)) await updatePort(trx, core, allocator, port.id, { fixed_ips });
  return port.id;
}

/** Sets the QoS policy of a router's gateways; undefined: it stays. Throws QosPolicyNotFound, PolicyRemoveAuthorizationError. */
async function setQosPolicy({ trx, caller, router }: GatewayChange, policy: string | null | undefined): Promise<void> {
  if (policy === undefined) return;
  const bindings = 'qos_router_gw_policy_bindings';
  const { id } = router;
  await requireQosPolicyChange(trx, caller, { table: bindings, key: 'router_id', id }, { qos_policy_id: policy });
  await trx.deleteFrom(bindings).where('router_id', '=', id).execute();
  if (policy !== null) await trx.insertInto(bindings).values({ router_id: id, policy_id: policy }).execute();
}

/**
 * Sets the gateways of a router to exactly these, in this order; returns how often Neutron would increment its revision. Throws NeutronError:
 * NetworkNotFound, BadRequest, RouterExternalGatewayInUseByFloatingIp, InvalidRoutes, and errors of allocation.
 */
export async function setGateways(change: GatewayChange, wishes: readonly Wish[]): Promise<number> {
  const { trx, core, router } = change;
  for (const { wanted } of wishes) if (wanted) await requireExternal(change, wanted);
  const kept = new Set(wishes.flatMap(({ port }) => port?.id ?? []));
  const removed = (await gatewayPorts(trx, router)).filter((port) => !kept.has(port.id));
  const networks = new Set(wishes.map(({ port, wanted }) => port?.networkId ?? wanted?.network_id));
  for (const port of removed) if (!networks.has(port.networkId)) await requireGatewayUnused(trx, router.id, port);
  for (const { id } of removed) await deletePort(trx, id);
  const ids: (string | undefined)[] = [];
  for (const wish of wishes) ids.push(await fulfil(change, wish));
  const [first] = wishes;
  const byDefault = Number(core.config.DEFAULT.enable_snat_by_default);
  const enable_snat = first && !first.wanted ? router.enable_snat : Number(first?.wanted?.enable_snat ?? byDefault);
  await trx
    .updateTable('routers')
    .set({ gw_port_id: ids[0] ?? null, enable_snat })
    .where('id', '=', router.id)
    .execute();
  await setQosPolicy(change, first ? first.wanted?.qos_policy_id : null);
  await requireRoutesStillConnected(trx, router.id);
  return 1 + 2 * removed.length + wishes.filter(({ port }) => !port).length;
}

/**
 * Sets `external_gateway_info`: the first gateway. null removes all gateways. Returns how often Neutron would increment the revision.
 */
export async function setGateway(change: GatewayChange, wanted: WantedGateway | null): Promise<number> {
  if (wanted === null) return setGateways(change, []);
  const [first, ...others] = await gatewayPorts(change.trx, change.router);
  const same = first?.networkId === wanted.network_id ? { port: first } : {};
  return setGateways(change, [{ wanted, ...same }, ...others.map((port) => ({ port }))]);
}
