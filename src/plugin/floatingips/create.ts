import { randomUUID } from 'node:crypto';
import type { Caller } from '../../auth/contract.ts';
import type { Trx } from '../../db/database.ts';
import type { AddressAllocator } from '../../ipam/allocate.ts';
import { parseIp } from '../../net/addresses.ts';
import { FLOATING_IP_OWNER } from '../../net/device-owners.ts';
import type { CreateOf } from '../../resources/attribute.ts';
import { neutronError } from '../../resources/errors.ts';
import { FLOATINGIP } from '../../resources/floatingip.ts';
import { insertPlain, plainOf } from '../../store/rows.ts';
import { newStandard } from '../../store/standard-attributes.ts';
import type { Core } from '../core.ts';
import { inserted } from '../module.ts';
import { createServicePort } from '../ports/service-port.ts';
import { requireQosPolicy } from '../qos/use.ts';
import { enqueueRouterUpdate } from '../router-events.ts';
import { requireVisibleNetwork } from '../visibility.ts';
import { associationWith } from './associate.ts';
import { type FloatingIpDocument, floatingIpDocuments } from './documents.ts';

export type FloatingIpCreate = CreateOf<typeof FLOATINGIP>;

const bad = (reason: string) => neutronError('BadRequest', { resource: 'floatingip', reason });

/** Throws NetworkNotFound, or BadRequest if the network is not external or has no IPv4 subnet. */
async function requireExternal(trx: Trx, caller: Caller, id: string): Promise<void> {
  await requireVisibleNetwork(trx, caller, id);
  const row = await trx
    .selectFrom('networks')
    .leftJoin('externalnetworks as x', 'x.network_id', 'networks.id')
    .leftJoin('subnets as s', (join) => join.onRef('s.network_id', '=', 'networks.id').on('s.ip_version', '=', 4))
    .select(['x.network_id as external', 's.id as subnet'])
    .where('networks.id', '=', id)
    .limit(1)
    .executeTakeFirst();
  if (!row) throw neutronError('NetworkNotFound', { id });
  if (row.external === null) throw bad(`Network ${id} is not a valid external network`);
  if (row.subnet === null) throw bad(`network ${id} has no IPv4 subnet`);
}

/** Creates the port that holds the address on the external network; returns its id and the address. */
async function allocate(
  trx: Trx,
  core: Core,
  allocator: AddressAllocator,
  id: string,
  { floating_network_id: network, subnet_id: subnet, floating_ip_address: address }: FloatingIpCreate,
) {
  const wanted = {
    ...(subnet === null ? {} : { subnet_id: subnet }),
    ...(address === null ? {} : { ip_address: address }),
  };
  const port = await createServicePort(trx, core, allocator, {
    network_id: network,
    // It belongs to the external network, not to a project.
    project_id: '',
    device_id: id,
    device_owner: FLOATING_IP_OWNER,
    ...(Object.keys(wanted).length > 0 ? { fixed_ips: [wanted] } : {}),
  });
  // No device has this port: it only holds the address.
  await trx.updateTable('ports').set({ status: 'N/A' }).where('id', '=', port.id).execute();
  const ip = port.fixed_ips.find(({ ip_address }) => parseIp(ip_address)?.version === 4);
  if (!ip) throw neutronError('ExternalIpAddressExhausted', { network });
  return { port: port.id, address: ip.ip_address };
}

/** Creates a floating IP in the caller's transaction and notifies agents. Throws NeutronError for invalid values. */
export async function createFloatingIp(
  trx: Trx,
  core: Core,
  allocator: AddressAllocator,
  caller: Caller,
  values: FloatingIpCreate,
): Promise<FloatingIpDocument> {
  const { floating_network_id: networkId, port_id, fixed_ip_address, project_id: projectId } = values;
  await requireExternal(trx, caller, networkId);
  await requireQosPolicy(trx, caller, values.qos_policy_id);
  if (fixed_ip_address !== null && port_id === null) throw bad('fixed_ip_address needs a port_id');
  const id = randomUUID();
  const { port, address } = await allocate(trx, core, allocator, id, values);
  const floatingIp = { id, projectId, networkId, address };
  const association =
    port_id === null ? undefined : await associationWith(trx, core, caller, floatingIp, { port_id, fixed_ip_address });
  await insertPlain(trx, FLOATINGIP, {
    ...plainOf(FLOATINGIP, values),
    id,
    floating_ip_address: address,
    floating_port_id: port,
    port_id: association?.portId ?? null,
    fixed_ip_address: association?.fixedIp ?? null,
    router_id: association?.routerId ?? null,
    status: 'DOWN',
    ...newStandard(),
  });
  if (association) await enqueueRouterUpdate(trx, association.routerId);
  return inserted((await floatingIpDocuments(trx, [id])).get(id), 'floatingip', id);
}
