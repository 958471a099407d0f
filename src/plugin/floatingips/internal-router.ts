import type { Database, Trx } from '../../db/database.ts';
import { ROUTER_GATEWAY_OWNER, ROUTER_INTERFACE_OWNERS } from '../../net/device-owners.ts';
import { type LockedRouter, lockRouter } from '../router-lock.ts';

/** Where a router is looked for: between the subnet of an internal port and an external network. */
export interface Between {
  readonly internalNetwork: string;
  readonly subnet: string;
  readonly externalNetwork: string;
}

const TRIES = 3;

/** Returns the router that is the gateway of the subnet, or else another one that connects it with the external network. */
async function find(trx: Trx, { internalNetwork, subnet, externalNetwork }: Between): Promise<string | undefined> {
  const rows = await trx
    .selectFrom('routerports as r')
    .innerJoin('ports as p', 'p.id', 'r.port_id')
    .innerJoin('ipallocations as a', 'a.port_id', 'p.id')
    .innerJoin('subnets as s', 's.id', 'a.subnet_id')
    .innerJoin('ports as g', 'g.device_id', 'r.router_id')
    .select(['r.router_id', 'a.ip_address', 's.gateway_ip'])
    .where('p.network_id', '=', internalNetwork)
    .where('r.port_type', 'in', [...ROUTER_INTERFACE_OWNERS])
    .where('a.subnet_id', '=', subnet)
    .where('g.network_id', '=', externalNetwork)
    .where('g.device_owner', '=', ROUTER_GATEWAY_OWNER)
    .orderBy('p.standard_attr_id')
    .execute();
  return (rows.find(({ ip_address, gateway_ip }) => ip_address === gateway_ip) ?? rows[0])?.router_id;
}

/**
 * Returns the router that translates between an internal subnet and an external network, locked until the transaction ends, so that
 * its interface and gateway stay; undefined if there is none.
 */
export async function routerBetween(trx: Trx, db: Database, between: Between): Promise<LockedRouter | undefined> {
  let router: LockedRouter | undefined;
  for (let tries = 0; tries < TRIES; tries++) {
    const id = await find(trx, between);
    // Its interface may have been removed while the lock was awaited.
    if (id === undefined || id === router?.id) return id === undefined ? undefined : router;
    router = await lockRouter(trx, db, id);
  }
  return undefined;
}
