import { type Expression, type SqlBool, sql } from 'kysely';
import type { Trx } from '../../db/database.ts';
import type { AddressAllocator } from '../../ipam/allocate.ts';
import { ROUTER_GATEWAY_OWNER } from '../../net/device-owners.ts';
import { type ErrorType, NeutronError } from '../../resources/errors.ts';
import { bumpRevision } from '../../store/standard-attributes.ts';
import type { Core } from '../core.ts';
import { enqueueRouterUpdate } from '../router-events.ts';
import { isAutoAddress } from './network-facts.ts';
import { updatePort } from './update.ts';

/** Changes of subnets that concern the gateways of routers on their network. */

const gateways = (trx: Trx, condition: Expression<SqlBool>) =>
  trx
    .selectFrom('routerports as r')
    .innerJoin('ports', 'ports.id', 'r.port_id')
    .innerJoin('routers', 'routers.id', 'r.router_id')
    .select(['ports.id', 'r.router_id', 'routers.standard_attr_id'])
    .where('r.port_type', '=', ROUTER_GATEWAY_OWNER)
    .where(condition)
    .orderBy('ports.id');

const ELSEWHERE: readonly ErrorType[] = [
  'FixedIpsSubnetsNotOnSameSegment',
  'HostConnectedToMultipleSegments',
  'HostNotConnectedToAnySegment',
  'InvalidInput',
];

/** Notifies the agents of routers whose gateway has an address on the subnet. */
export async function notifyRoutersWithGateway(trx: Trx, subnetId: string): Promise<void> {
  const on = sql<SqlBool>`exists (select 1 from ipallocations a where a.port_id = ports.id and a.subnet_id = ${subnetId})`;
  for (const { router_id } of await gateways(trx, on).execute()) await enqueueRouterUpdate(trx, router_id);
}

/**
 * Adds an address on a new subnet to the gateways on its network that have none of its IP version yet (those derived from MACs do not
 * count), as long as there are addresses.
 */
export async function addToGateways(
  trx: Trx,
  core: Core,
  allocator: AddressAllocator,
  networkId: string,
  subnet: { readonly id: string; readonly ipVersion: 4 | 6 },
): Promise<void> {
  const ports = await gateways(trx, sql<SqlBool>`ports.network_id = ${networkId}`).execute();
  for (const { id, router_id, standard_attr_id } of ports) {
    const current = await trx
      .selectFrom('ipallocations as a')
      .innerJoin('subnets as s', 's.id', 'a.subnet_id')
      .select(['a.subnet_id', 'a.ip_address', 's.ip_version', 's.ipv6_ra_mode', 's.ipv6_address_mode'])
      .where('a.port_id', '=', id)
      .execute();
    const chosen = current.filter((ip) => !isAutoAddress(ip.ipv6_ra_mode, ip.ipv6_address_mode));
    if (chosen.some((ip) => ip.ip_version === subnet.ipVersion)) continue;
    const kept = current.map(({ subnet_id, ip_address }) => ({ subnet_id, ip_address }));
    try {
      await updatePort(trx, core, allocator, id, { fixed_ips: [...kept, { subnet_id: subnet.id }] });
    } catch (error) {
      // The subnet is too small for all of them.
      if (error instanceof NeutronError && error.type === 'IpAddressGenerationFailure') return;
      // It is on another segment than the gateway.
      if (error instanceof NeutronError && ELSEWHERE.includes(error.type)) continue;
      throw error;
    }
    await bumpRevision(trx, standard_attr_id);
    await enqueueRouterUpdate(trx, router_id);
  }
}
