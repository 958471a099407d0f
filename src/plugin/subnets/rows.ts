import { randomUUID } from 'node:crypto';
import type { Trx } from '../../db/database.ts';
import type { PoolRange } from '../../ipam/candidates.ts';
import { formatIp } from '../../net/addresses.ts';
import type { HostRoute } from '../../resources/subnet-types.ts';

/** Replaces the pools of a subnet. */
export async function setPools(trx: Trx, subnetId: string, version: 4 | 6, pools: readonly PoolRange[]): Promise<void> {
  await trx.deleteFrom('ipallocationpools').where('subnet_id', '=', subnetId).execute();
  for (const { first, last } of pools)
    await trx
      .insertInto('ipallocationpools')
      .values({
        id: randomUUID(),
        subnet_id: subnetId,
        first_ip: formatIp(version, first),
        last_ip: formatIp(version, last),
      })
      .execute();
}

/** Replaces the DNS servers of a subnet, keeping their order. */
export async function setNameservers(trx: Trx, subnetId: string, servers: readonly string[]): Promise<void> {
  await trx.deleteFrom('dnsnameservers').where('subnet_id', '=', subnetId).execute();
  for (const [order, address] of servers.entries())
    await trx.insertInto('dnsnameservers').values({ subnet_id: subnetId, address, order }).execute();
}

/** Replaces the routes of a subnet. */
export async function setHostRoutes(trx: Trx, subnetId: string, routes: readonly HostRoute[]): Promise<void> {
  await trx.deleteFrom('subnetroutes').where('subnet_id', '=', subnetId).execute();
  for (const route of routes)
    await trx
      .insertInto('subnetroutes')
      .values({ subnet_id: subnetId, ...route })
      .execute();
}

/** Replaces the service types of a subnet. */
export async function setServiceTypes(trx: Trx, subnetId: string, types: readonly string[]): Promise<void> {
  await trx.deleteFrom('subnet_service_types').where('subnet_id', '=', subnetId).execute();
  for (const type of types)
    await trx.insertInto('subnet_service_types').values({ subnet_id: subnetId, service_type: type }).execute();
}
