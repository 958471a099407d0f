import type { Caller } from '../../auth/contract.ts';
import type { Trx } from '../../db/database.ts';
import { neutronError } from '../../resources/errors.ts';
import { PORT } from '../../resources/port.ts';
import type { FixedIp } from '../../resources/port-types.ts';
import { SUBNET } from '../../resources/subnet.ts';
import type { Core } from '../core.ts';
import { addressesOfPort } from '../ports/addresses.ts';
import { requireVisible, visiblePorts, visibleSubnets } from '../visibility.ts';

/** The port that packets to a floating IP go to. */
export interface InternalPort {
  readonly id: string;
  readonly projectId: string;
  readonly networkId: string;
  readonly deviceOwner: string;
  readonly vnicType: string;
  /** Its IPv4 addresses. */
  readonly addresses: readonly FixedIp[];
}

/** Returns a port that the caller may see, locked until the transaction ends, so that it keeps its addresses. Throws PortNotFound. */
export async function lockInternalPort(trx: Trx, { db }: Core, caller: Caller, id: string): Promise<InternalPort> {
  await requireVisible(trx, caller, PORT, id, visiblePorts);
  const row = await db
    .locked(
      trx
        .selectFrom('ports')
        .select(['ports.project_id', 'ports.network_id', 'ports.device_owner'])
        .where('ports.id', '=', id),
    )
    .executeTakeFirst();
  const binding = await trx
    .selectFrom('ml2_port_bindings')
    .select('vnic_type')
    .where('port_id', '=', id)
    .where('status', '=', 'ACTIVE')
    .executeTakeFirst();
  if (!row) throw neutronError('PortNotFound', { id });
  const addresses = await addressesOfPort(trx, id, 4);
  return {
    id,
    projectId: row.project_id,
    networkId: row.network_id,
    deviceOwner: row.device_owner,
    vnicType: binding?.vnic_type ?? 'normal',
    addresses,
  };
}

/** Throws SubnetNotFound unless the caller may see the subnet of an internal address. */
export const requireInternalSubnet = (trx: Trx, caller: Caller, subnetId: string): Promise<void> =>
  requireVisible(trx, caller, SUBNET, subnetId, visibleSubnets);
