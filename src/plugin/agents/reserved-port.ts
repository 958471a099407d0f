import type { Trx } from '../../db/database.ts';
import type { AddressAllocator } from '../../ipam/allocate.ts';
import { DHCP_OWNER } from '../../net/device-owners.ts';
import { dhcpDeviceId, RESERVED_DHCP_PORT } from '../../net/dhcp-device-id.ts';
import type { HostAgent } from '../assign.ts';
import type { Core } from '../core.ts';
import { updatePort } from '../ports/update.ts';

/**
 * Reserves the port of a DHCP agent that loses a network, with its address, for the next agent of the network: clients that know
 * the address keep their DHCP server.
 */
export async function reserveDhcpPort(
  trx: Trx,
  core: Core,
  allocator: AddressAllocator,
  { host }: HostAgent,
  networkId: string,
): Promise<void> {
  const own = dhcpDeviceId(host, networkId);
  const ports = await trx
    .selectFrom('ports')
    .select('id')
    .where('network_id', '=', networkId)
    .where('device_owner', '=', DHCP_OWNER)
    // Agents since 2023.1 have a port on each segment of a host.
    .where((eb) => eb.or([eb('device_id', '=', own), eb('device_id', 'like', `${own}-%`)]))
    .execute();
  for (const { id } of ports) await updatePort(trx, core, allocator, id, { device_id: RESERVED_DHCP_PORT });
}
