import type { Queries, Trx } from '../../db/database.ts';
import type { AddressAllocator } from '../../ipam/allocate.ts';
import { ROUTER_HA_INTERFACE_OWNER } from '../../net/device-owners.ts';
import type { HaState } from '../../resources/agent-routers.ts';
import type { Core } from '../core.ts';
import { deletePort } from '../ports/delete.ts';
import { createServicePort } from '../ports/service-port.ts';
import { joinHaNetwork } from './membership.ts';

const BINDINGS = 'ha_router_agent_port_bindings';

/** Returns the port of a router for an agent; undefined if it has none. */
const haPort = async (trx: Trx, routerId: string, agentId: string): Promise<string | undefined> =>
  (
    await trx
      .selectFrom(BINDINGS)
      .select('port_id')
      .where('router_id', '=', routerId)
      .where('l3_agent_id', '=', agentId)
      .executeTakeFirst()
  )?.port_id;

/** Creates the port of a router for an agent that hosts it now, if the router is highly available. As in Neutron, it is unbound. */
export async function addHaPort(
  trx: Trx,
  core: Core,
  allocator: AddressAllocator,
  { id: l3_agent_id }: { readonly id: string },
  router_id: string,
): Promise<void> {
  const router = await trx
    .selectFrom('routers')
    .innerJoin('router_extra_attributes as e', 'e.router_id', 'routers.id')
    .select(['routers.id', 'routers.project_id', 'e.ha'])
    .where('routers.id', '=', router_id)
    .executeTakeFirst();
  if (router?.ha !== 1 || (await haPort(trx, router_id, l3_agent_id)) !== undefined) return;
  const { id: port_id } = await createServicePort(trx, core, allocator, {
    name: `HA port tenant ${router.project_id}`,
    network_id: await joinHaNetwork(trx, core, allocator, router),
    project_id: '',
    device_id: router_id,
    device_owner: ROUTER_HA_INTERFACE_OWNER,
  });
  await trx.insertInto('routerports').values({ router_id, port_id, port_type: ROUTER_HA_INTERFACE_OWNER }).execute();
  await trx.insertInto(BINDINGS).values({ port_id, router_id, l3_agent_id, state: 'standby' }).execute();
}

/** Deletes the port of a router for an agent that no longer hosts it, if there is one. */
export async function removeHaPort(trx: Trx, { id }: { readonly id: string }, routerId: string): Promise<void> {
  const port = await haPort(trx, routerId, id);
  if (port !== undefined) await deletePort(trx, port);
}

/** Hands the HA ports of an agent to another one; those of routers that the other one hosts already are deleted. */
export async function moveHaPorts(trx: Trx, agentId: string, heir: string): Promise<void> {
  const own = await trx.selectFrom(BINDINGS).selectAll().where('l3_agent_id', '=', agentId).execute();
  for (const { port_id, router_id } of own)
    if ((await haPort(trx, router_id, heir)) === undefined)
      await trx.updateTable(BINDINGS).set({ l3_agent_id: heir }).where('port_id', '=', port_id).execute();
    else await deletePort(trx, port_id);
}

/** An agent that hosts a router, and whether it can serve it: it is alive and enabled. */
interface Host {
  readonly id: string;
  readonly serves: boolean;
}

/**
 * Returns the states of a highly available router on its agents, by agent. A dead agent cannot be known to be active: it counts as
 * standby, because others take over, and as unknown if all agents of the router are dead.
 */
export async function haStates(
  db: Queries,
  routerId: string,
  hosts: readonly Host[],
): Promise<ReadonlyMap<string, HaState>> {
  const rows = await db
    .selectFrom(BINDINGS)
    .select(['l3_agent_id', 'state'])
    .where('router_id', '=', routerId)
    .execute();
  const serves = new Map(hosts.map((host) => [host.id, host.serves]));
  const allDead = rows.every((row) => !serves.get(row.l3_agent_id));
  return new Map(
    rows.map(({ l3_agent_id: id, state }): [string, HaState] => [
      id,
      state === 'active' && !serves.get(id) ? (allDead ? 'unknown' : 'standby') : (state as HaState),
    ]),
  );
}
