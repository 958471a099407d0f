import { sql } from 'kysely';
import type { Trx } from '../../db/database.ts';
import { type AllocatableSubnet, takeAddress } from '../../ipam/allocate.ts';
import { type Cidr, eui64Address } from '../../net/addresses.ts';
import {
  AUTOMATIC_OWNERS,
  ROUTER_GATEWAY_OWNER,
  ROUTER_INTERFACE_OWNERS,
  ROUTER_SUBNET_OWNERS,
} from '../../net/device-owners.ts';
import { neutronError } from '../../resources/errors.ts';
import { EVENTS } from '../../rpc/events.ts';
import { nowText } from '../../store/standard-attributes.ts';
import type { Core } from '../core.ts';
import { enqueueNotification } from '../events.ts';
import { withBoundSegment } from '../ports/bound-segment.ts';
import { portDocuments } from '../ports/documents.ts';
import { networkFacts } from '../ports/network-facts.ts';
import { isBound } from '../provisioning.ts';
import { enqueueRouterUpdate } from '../router-events.ts';

// Ports per batch of changes and notifications.
const CHUNK = 500;

/** The network whose ports' addresses change. */
interface PortsNetwork {
  readonly id: string;
}

/** Increments the revision of ports whose addresses changed, and enqueues the notifications of agents. */
async function enqueuePortUpdates(
  trx: Trx,
  core: Core,
  network: PortsNetwork,
  portIds: readonly string[],
): Promise<void> {
  if (portIds.length === 0) return;
  await trx
    .updateTable('standardattributes')
    .set((eb) => ({ revision_number: eb('revision_number', '+', 1), updated_at: nowText() }))
    .where('id', 'in', (eb) =>
      eb
        .selectFrom('ports')
        .select('ports.standard_attr_id')
        .where('ports.id', 'in', [...portIds]),
    )
    .execute();
  const facts = await networkFacts(trx, network.id);
  for (const document of (await portDocuments(trx, core.config, portIds)).values()) {
    await enqueueNotification(trx, EVENTS.port_update_end, { port: document }, { network: network.id });
    if (facts && isBound(String(document['binding:vif_type']))) {
      const wired = await withBoundSegment(trx, facts, document.id, document['binding:host_id']);
      await enqueueNotification(
        trx,
        EVENTS.port_update,
        {
          port: document,
          network_type: wired.networkType,
          physical_network: wired.physicalNetwork,
          segmentation_id: wired.segmentationId,
        },
        { network: network.id },
      );
    }
    if (document.device_owner === ROUTER_GATEWAY_OWNER) await enqueueRouterUpdate(trx, document.device_id);
  }
}

/** Condition on the ports that can have addresses on a segment. */
const isOnSegment = (segmentId: string) => sql<boolean>`exists (select 1 from ml2_port_bindings b
  where b.port_id = ports.id and b.status = 'ACTIVE' and (
    exists (select 1 from segmenthostmappings m where m.host = b.host and m.segment_id = ${segmentId})
    or (b.host = '' and exists (select 1 from ipallocations a inner join subnets s on s.id = a.subnet_id
      where a.port_id = ports.id and s.segment_id = ${segmentId}))))`;

/**
 * Allocates the address of every port of the network, except those of routers, in a new subnet with addresses derived from MACs
 * (SLAAC, stateless DHCPv6), as for ports that are created later: in a subnet of a segment, those whose host reaches it, and those
 * without a host that have addresses on it.
 */
export async function allocateAutomaticAddresses(
  trx: Trx,
  core: Core,
  network: PortsNetwork,
  subnet: { readonly id: string; readonly cidr: Cidr; readonly segmentId: string | null },
): Promise<void> {
  const allocatable: AllocatableSubnet = { id: subnet.id, networkId: network.id, ipVersion: 6, pools: [] };
  for (let last = ''; ; ) {
    const ports = await trx
      .selectFrom('ports')
      .select(['id', 'mac_address'])
      .where('network_id', '=', network.id)
      .where('device_owner', 'not in', [...ROUTER_SUBNET_OWNERS])
      .where('id', '>', last)
      .where(subnet.segmentId === null ? sql<boolean>`1 = 1` : isOnSegment(subnet.segmentId))
      .orderBy('id')
      .limit(CHUNK)
      .execute();
    const given: string[] = [];
    for (const port of ports)
      if (await takeAddress(trx, allocatable, port.id, eui64Address(subnet.cidr.first, port.mac_address)))
        given.push(port.id);
    await enqueuePortUpdates(trx, core, network, given);
    if (ports.length < CHUNK) return;
    last = ports.at(-1)?.id ?? last;
  }
}

/**
 * Throws SubnetInUse if ports have addresses that would be lost with the subnet: all except those of automatic ports (DHCP),
 * or, if addresses are derived from MACs, only those of routers.
 */
export async function requireUnused(trx: Trx, subnetId: string, autoAddress: boolean): Promise<void> {
  const used = await trx
    .selectFrom('ipallocations')
    .innerJoin('ports', 'ports.id', 'ipallocations.port_id')
    .select('ports.id')
    .where('ipallocations.subnet_id', '=', subnetId)
    .where(
      autoAddress
        ? sql<boolean>`ports.device_owner in (${sql.join([...ROUTER_INTERFACE_OWNERS])})`
        : sql<boolean>`ports.device_owner not in (${sql.join([...AUTOMATIC_OWNERS])})`,
    )
    .limit(1)
    .executeTakeFirst();
  if (used)
    throw neutronError('SubnetInUse', {
      id: subnetId,
      reason: `One or more ports have an IP allocation from this subnet, port ${used.id} for one.`,
    });
}

/** Throws SubnetInUse if a port has addresses in this subnet only: its segment follows from them. */
export async function requireOtherAddresses(trx: Trx, subnetId: string): Promise<void> {
  const alone = await trx
    .selectFrom('ipallocations as a')
    .select('a.port_id')
    .where('a.subnet_id', '=', subnetId)
    .where(
      sql<boolean>`not exists (select 1 from ipallocations b where b.port_id = a.port_id and b.subnet_id <> ${subnetId})`,
    )
    .limit(1)
    .executeTakeFirst();
  if (alone)
    throw neutronError('SubnetInUse', {
      id: subnetId,
      reason: `Port ${alone.port_id} has no address in another subnet.`,
    });
}

/** Releases all addresses of ports in a subnet, before the subnet is deleted. */
export async function releaseAddresses(trx: Trx, core: Core, network: PortsNetwork, subnetId: string): Promise<void> {
  for (;;) {
    const rows = await trx
      .selectFrom('ipallocations')
      .select('port_id')
      .distinct()
      .where('subnet_id', '=', subnetId)
      .limit(CHUNK)
      .execute();
    if (rows.length === 0) return;
    const ids = rows.map((r) => r.port_id);
    await trx.deleteFrom('ipallocations').where('subnet_id', '=', subnetId).where('port_id', 'in', ids).execute();
    await enqueuePortUpdates(trx, core, network, ids);
  }
}

/** Throws GatewayIpInUse if a router interface has the gateway address. */
export async function requireGatewayUnused(trx: Trx, subnetId: string, gateway: string): Promise<void> {
  const used = await trx
    .selectFrom('ipallocations')
    .innerJoin('ports', 'ports.id', 'ipallocations.port_id')
    .select('ports.id')
    .where('ipallocations.subnet_id', '=', subnetId)
    .where('ipallocations.ip_address', '=', gateway)
    .where('ports.device_owner', 'in', [...ROUTER_INTERFACE_OWNERS])
    .executeTakeFirst();
  if (used) throw neutronError('GatewayIpInUse', { ip: gateway, port: used.id });
}
