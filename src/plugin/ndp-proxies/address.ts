import type { Trx } from '../../db/database.ts';
import { neutronError } from '../../resources/errors.ts';
import { addressesOfPort } from '../ports/addresses.ts';
import type { AttachedPort } from '../routers/attached.ts';

/**
 * Returns the IPv6 address of a port that an NDP proxy announces: the wanted one, or the first that the interfaces of the router are
 * connected with. Throws BadRequest, PortUnreachableRouter, InvalidAddress.
 */
export async function announcedAddress(
  trx: Trx,
  {
    portId: port,
    routerId: router,
    interfaces,
  }: { readonly portId: string; readonly routerId: string; readonly interfaces: readonly AttachedPort[] },
  wanted: string | null,
): Promise<string> {
  const addresses = await addressesOfPort(trx, port, 6);
  if (addresses.length === 0)
    throw neutronError('BadRequest', {
      resource: 'ndp_proxy',
      reason: `port ${port} has no IPv6 address`,
    });
  const connected = new Set(interfaces.flatMap(({ fixedIps }) => fixedIps.map((ip) => ip.subnet_id)));
  if (wanted === null) {
    const found = addresses.find(({ subnet_id }) => connected.has(subnet_id));
    if (!found) throw neutronError('PortUnreachableRouter', { port, router });
    return found.ip_address;
  }
  const own = addresses.find(({ ip_address }) => ip_address === wanted);
  if (!own) throw neutronError('InvalidAddress', { address: wanted, reason: `port ${port} does not have it` });
  if (!connected.has(own.subnet_id))
    throw neutronError('InvalidAddress', {
      address: wanted,
      reason: `router ${router} has no interface on its subnet`,
    });
  return wanted;
}
