import type { Caller } from '../../auth/contract.ts';
import type { Trx } from '../../db/database.ts';
import type { AddressAllocator } from '../../ipam/allocate.ts';
import { routerInterfaceOwner } from '../../net/device-owners.ts';
import type { UpdateOf } from '../../resources/attribute.ts';
import { neutronError } from '../../resources/errors.ts';
import { ROUTER } from '../../resources/router.ts';
import { L3_AGENTS } from '../../scheduler/agent-kinds.ts';
import { hostingAgents, unbind } from '../../scheduler/bindings.ts';
import { plainOf, updatePlain } from '../../store/rows.ts';
import { bumpRevision, requireCurrent } from '../../store/standard-attributes.ts';
import type { Core } from '../core.ts';
import { notifyHost } from '../events.ts';
import { assignHaRouter } from '../ha-routers/assign.ts';
import { joinHaNetwork, leaveHaNetwork } from '../ha-routers/membership.ts';
import { removeHaPort } from '../ha-routers/ports.ts';
import { inserted } from '../module.ts';
import { updatePort } from '../ports/update.ts';
import { enqueueRouterUpdate } from '../router-events.ts';
import { type LockedRouter, lockRouter } from '../router-lock.ts';
import { attachedPorts, isInterface } from './attached.ts';
import { type RouterDocument, routerDocuments } from './documents.ts';
import { matched, rejectBothGateways } from './gateway-requests.ts';
import { setGateway, setGateways } from './gateways.ts';
import { gatewaysOfRouter, ndpProxyState } from './ndp-proxy.ts';
import { setRoutes } from './routes.ts';

export type RouterUpdate = UpdateOf<typeof ROUTER>;

/**
 * Throws BadRequest if an active router would become highly available or distributed, or no longer so, and InvalidInput if its flavor
 * decides that. Returns whether it changes.
 */
function checkKind(before: RouterDocument, changes: RouterUpdate): boolean {
  const { admin_state_up: up = before.admin_state_up } = changes;
  const changed = (['distributed', 'ha'] as const).filter(
    (key) => changes[key] !== undefined && changes[key] !== before[key],
  );
  if (changed.length === 0) return false;
  if (before.flavor_id !== null)
    throw neutronError('InvalidInput', {
      reason: "the flavor of a router decides 'ha' and 'distributed', which cannot be changed",
    });
  // As in Neutron, a request may set ha together with admin_state_up, but not distributed.
  const active = changed.find((key) => up || (key === 'distributed' && before.admin_state_up));
  if (active !== undefined)
    throw neutronError('BadRequest', {
      resource: 'router',
      reason: `'${active}' can be changed only while admin_state_up is false`,
    });
  return true;
}

/**
 * Sets the device owner of a router's interfaces to that of its new kind, and unbinds it from its agents: others may have to serve it.
 * A router that is highly available now gets a VRID and new agents.
 */
async function changeKind(
  trx: Trx,
  core: Core,
  allocator: AddressAllocator,
  router: LockedRouter,
  kind: { readonly ha: boolean; readonly distributed: boolean },
): Promise<void> {
  const owner = routerInterfaceOwner(kind);
  for (const { id } of (await attachedPorts(trx, router.id)).filter(isInterface)) {
    await trx.updateTable('routerports').set({ port_type: owner }).where('port_id', '=', id).execute();
    await updatePort(trx, core, allocator, id, { device_owner: owner });
  }
  const agents = (await hostingAgents(trx, core.config, L3_AGENTS, [router.id])).get(router.id) ?? [];
  for (const { id, host } of agents) {
    await unbind(trx, L3_AGENTS, router.id, id);
    await removeHaPort(trx, { id }, router.id);
    await notifyHost(trx, L3_AGENTS.notify.removed(router.id), router.id, host);
  }
  if (router.ha && !kind.ha) await leaveHaNetwork(trx, core, router);
  if (!kind.ha) return;
  await joinHaNetwork(trx, core, allocator, router);
  await assignHaRouter(trx, core, allocator, router.id);
}

/**
 * Updates a router in the caller's transaction and notifies its agents; returns its new document. Throws NeutronError: RouterNotFound,
 * RevisionNumberConstraintFailed, and for invalid changes.
 */
export async function updateRouter(
  trx: Trx,
  core: Core,
  allocator: AddressAllocator,
  caller: Caller,
  id: string,
  changes: RouterUpdate,
  revision?: number,
): Promise<RouterDocument> {
  const router = await lockRouter(trx, core.db, id);
  const load = async () => inserted((await routerDocuments(trx, [id])).get(id), 'router', id);
  const before = await load();
  requireCurrent(before.revision_number, revision);
  rejectBothGateways(changes);
  const kindChanges = checkKind(before, changes);
  let revisions = 0;
  const { external_gateway_info: gateway, external_gateways: gateways, routes } = changes;
  if (routes && (await setRoutes(trx, core, id, routes))) revisions += 1;
  const change = { trx, core, allocator, caller, router };
  const ndp = { enabled: before.enable_ndp_proxy ?? null, gateways: await gatewaysOfRouter(trx, id) };
  if (gateway !== undefined) revisions += await setGateway(change, gateway);
  if (gateways) revisions += await setGateways(change, await matched(change, gateways));
  const enable_ndp_proxy = await ndpProxyState(trx, id, ndp, changes.enable_ndp_proxy);
  const plain = {
    ...plainOf(ROUTER, changes),
    ...(enable_ndp_proxy === ndp.enabled ? {} : { enable_ndp_proxy }),
    ...(multihomes(before, changes) ? { ...MULTIHOMED, ...flagsOf(changes) } : {}),
  };
  if (Object.keys(plain).length > 0) {
    await updatePlain(trx, ROUTER, { id, attr: router.standard_attr_id }, plain);
    revisions += 1;
  }
  if (kindChanges)
    await changeKind(trx, core, allocator, router, {
      ha: changes.ha ?? before.ha,
      distributed: changes.distributed ?? before.distributed,
    });
  if (revisions > 0) await bumpRevision(trx, router.standard_attr_id, revision, undefined, revisions);
  await enqueueRouterUpdate(trx, id);
  return load();
}

/** Flags of a router that is managed with `external_gateways`. */
const MULTIHOMED = { enable_default_route_bfd: false, enable_default_route_ecmp: false } as const;

/** Returns whether the update begins to manage a router with `external_gateways`. */
const multihomes = (before: RouterDocument, changes: RouterUpdate): boolean =>
  before.external_gateways === undefined &&
  [changes.external_gateways, changes.enable_default_route_bfd, changes.enable_default_route_ecmp].some(
    (value) => value !== undefined && value !== null,
  );

const flagsOf = ({ enable_default_route_bfd: bfd, enable_default_route_ecmp: ecmp }: RouterUpdate) => ({
  ...(typeof bfd === 'boolean' ? { enable_default_route_bfd: bfd } : {}),
  ...(typeof ecmp === 'boolean' ? { enable_default_route_ecmp: ecmp } : {}),
});
