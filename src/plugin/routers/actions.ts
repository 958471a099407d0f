import type { Caller } from '../../auth/contract.ts';
import type { Trx } from '../../db/database.ts';
import type { AddressAllocator } from '../../ipam/allocate.ts';
import type { ROUTER } from '../../resources/router.ts';
import type { WantedGateway } from '../../resources/router-types.ts';
import type { HostRoute } from '../../resources/subnet-types.ts';
import { bumpRevision } from '../../store/standard-attributes.ts';
import type { Core } from '../core.ts';
import { type ActionCall, type HandlersOf, inserted } from '../module.ts';
import { enqueueAnnouncement } from '../notifications.ts';
import { enqueueRouterUpdate } from '../router-events.ts';
import { type LockedRouter, lockRouter } from '../router-lock.ts';
import { type RouterDocument, routerDocuments } from './documents.ts';
import { withAdded, withRemoved, withUpdated } from './gateway-requests.ts';
import { type GatewayChange, setGateways, type Wish } from './gateways.ts';
import { addInterface } from './interface-add.ts';
import { removeInterface } from './interface-remove.ts';
import { difference, routesOf, setRoutes, union } from './routes.ts';

type Handlers = Omit<HandlersOf<typeof ROUTER>, 'list_l3_agents'>;

/** Handlers of the actions of routers, except those of the L3 agent scheduler. */
export function routerActions(core: Core, allocator: AddressAllocator): Handlers {
  /** Locks a router and changes it; `work` returns how many changes it made. Returns the new document. */
  const change = (
    { id, revision }: ActionCall,
    work: (trx: Trx, router: LockedRouter) => Promise<number>,
  ): Promise<RouterDocument> =>
    core.db.transaction(async (trx) => {
      const router = await lockRouter(trx, core.db, id);
      const revisions = await work(trx, router);
      if (revisions > 0) await bumpRevision(trx, router.standard_attr_id, revision, undefined, revisions);
      if (revisions > 0) await enqueueRouterUpdate(trx, id);
      return inserted((await routerDocuments(trx, [id])).get(id), 'router', id);
    });

  type Routes = readonly HostRoute[];
  const routes = (combine: (current: Routes, given: Routes) => Routes) => (_: Caller, call: ActionCall<Routes>) =>
    change(call, async (trx, { id }) => {
      const current = (await routesOf(trx, [id])).get(id) ?? [];
      return Number(await setRoutes(trx, core, id, combine(current, call.body)));
    });

  type Wishes = (change: GatewayChange, gateways: readonly WantedGateway[]) => Promise<readonly Wish[]>;
  const gateways = (wishesOf: Wishes) => (caller: Caller, call: ActionCall<readonly WantedGateway[]>) =>
    change(call, async (trx, router) => {
      const of = { trx, core, allocator, caller, router };
      await trx
        .updateTable('router_extra_attributes')
        .set((eb) => ({
          enable_default_route_bfd: eb.fn.coalesce('enable_default_route_bfd', eb.val(0)),
          enable_default_route_ecmp: eb.fn.coalesce('enable_default_route_ecmp', eb.val(0)),
        }))
        .where('router_id', '=', router.id)
        .execute();
      return setGateways(of, await wishesOf(of, call.body));
    });

  return {
    add_router_interface: (caller, { id, body }) =>
      core.db.transaction(async (trx) => {
        const router_interface = await addInterface({ trx, core, allocator, caller }, id, body);
        await enqueueAnnouncement(trx, core, caller, 'router.interface.create', { router_interface });
        return router_interface;
      }),
    remove_router_interface: (caller, { id, body }) =>
      core.db.transaction(async (trx) => {
        const router_interface = await removeInterface({ trx, core, allocator, caller }, id, body);
        await enqueueAnnouncement(trx, core, caller, 'router.interface.delete', { router_interface });
        return router_interface;
      }),
    add_extraroutes: routes(union),
    remove_extraroutes: routes(difference),
    add_external_gateways: gateways(withAdded),
    update_external_gateways: gateways(withUpdated),
    remove_external_gateways: gateways(withRemoved),
  };
}
