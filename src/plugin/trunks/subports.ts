import type { Caller } from '../../auth/contract.ts';
import type { Trx } from '../../db/database.ts';
import { neutronError } from '../../resources/errors.ts';
import { PORT } from '../../resources/port.ts';
import type { SubPort, WantedSubPort } from '../../resources/trunk.ts';
import type { Core } from '../core.ts';
import { requireVisible, visiblePorts } from '../visibility.ts';

/** What the rules of trunks need to know of a port. */
interface TrunkedPort {
  readonly id: string;
  readonly networkId: string;
  readonly deviceId: string;
  readonly host: string;
  readonly mtu: number;
  /** The first segment of its network, for `inherit`. */
  readonly networkType: string | null;
  readonly segmentationId: number | null;
}

/** Returns a port and locks it, so that it enters one trunk only. Throws PortNotFound. */
export async function lockTrunkedPort(trx: Trx, core: Core, id: string): Promise<TrunkedPort> {
  await core.db.locked(trx.selectFrom('ports').select('id').where('id', '=', id)).executeTakeFirst();
  const row = await trx
    .selectFrom('ports')
    .innerJoin('networks', 'networks.id', 'ports.network_id')
    .leftJoin('networksegments as s', (join) =>
      join.onRef('s.network_id', '=', 'networks.id').on('s.segment_index', '=', 0),
    )
    .leftJoin('ml2_port_bindings as b', (join) =>
      join.onRef('b.port_id', '=', 'ports.id').on('b.status', '=', 'ACTIVE'),
    )
    .select(['ports.network_id', 'ports.device_id', 'networks.mtu', 's.network_type', 's.segmentation_id', 'b.host'])
    .where('ports.id', '=', id)
    .executeTakeFirst();
  if (!row) throw neutronError('PortNotFound', { id });
  return {
    id,
    networkId: row.network_id,
    deviceId: row.device_id,
    host: row.host ?? '',
    mtu: row.mtu,
    networkType: row.network_type,
    segmentationId: row.segmentation_id,
  };
}

/** Throws TrunkPortInUse if the port is in a trunk. */
async function requireOutsideTrunks(trx: Trx, port: string): Promise<void> {
  const parent = trx.selectFrom('trunks').select('id').where('port_id', '=', port);
  const child = trx.selectFrom('subports').select('trunk_id as id').where('port_id', '=', port);
  if (await parent.unionAll(child).executeTakeFirst()) throw neutronError('TrunkPortInUse', { port });
}

/**
 * Returns the port as parent of a new trunk. Throws PortNotFound, also if the caller may not see it, TrunkPortInUse, and ParentPortInUse
 * for a bound port.
 */
export async function lockParent(trx: Trx, core: Core, caller: Caller, id: string): Promise<TrunkedPort> {
  await requireVisible(trx, caller, PORT, id, visiblePorts);
  const port = await lockTrunkedPort(trx, core, id);
  await requireOutsideTrunks(trx, id);
  if (port.host !== '') throw neutronError('ParentPortInUse', { port: id });
  return port;
}

/** Returns a subport with the segmentation of the request; undefined if it inherits that of its network. Throws InvalidInput. */
function requestedSubPort({
  port_id,
  segmentation_type: type,
  segmentation_id: id,
}: WantedSubPort): SubPort | undefined {
  if (type === 'inherit') return undefined;
  if (type === undefined || id === undefined)
    throw neutronError('InvalidInput', {
      reason: `subport ${port_id} needs segmentation_id and segmentation_type, or segmentation_type inherit alone`,
    });
  return { port_id, segmentation_type: type, segmentation_id: id };
}

/** Returns a subport with the segmentation of its port's network. Throws InvalidInput unless that is a VLAN. */
function inheritingSubPort({ id, networkType, segmentationId }: TrunkedPort): SubPort {
  if (networkType !== 'vlan' || segmentationId === null)
    throw neutronError('InvalidInput', {
      reason: `subport '${id}' cannot inherit the segmentation of a ${networkType} network: it is not a VLAN`,
    });
  return { port_id: id, segmentation_type: 'vlan', segmentation_id: segmentationId };
}

/** Adds subports to a trunk. Throws the errors of invalid ones. */
export async function addSubPorts(
  trx: Trx,
  core: Core,
  caller: Caller,
  trunk: { readonly id: string; readonly portId: string; readonly mtu: number },
  wanted: readonly WantedSubPort[],
): Promise<void> {
  // As in Neutron, what a request lacks is reported before what does not exist.
  const requested = wanted.map((one) => [one, requestedSubPort(one)] as const);
  for (const [one, asked] of requested) {
    if (one.port_id === trunk.portId) throw neutronError('ParentPortInUse', { port: one.port_id });
    await requireVisible(trx, caller, PORT, one.port_id, visiblePorts);
    const port = await lockTrunkedPort(trx, core, one.port_id);
    if (port.mtu > trunk.mtu)
      throw neutronError('SubPortMtuGreaterThanTrunkPortMtu', {
        port: port.id,
        mtu: port.mtu,
        trunk: trunk.id,
        trunkMtu: trunk.mtu,
      });
    const subPort = asked ?? inheritingSubPort(port);
    await requireOutsideTrunks(trx, port.id);
    if (port.deviceId !== '')
      throw neutronError('PortInUse', { port: port.id, network: port.networkId, device: port.deviceId });
    const { numInsertedOrUpdatedRows } = await trx
      .insertInto('subports')
      .ignore()
      .values({ ...subPort, trunk_id: trunk.id })
      .executeTakeFirst();
    // The port is locked and in no trunk: the other unique key exists.
    if ((numInsertedOrUpdatedRows ?? 0n) === 0n)
      throw neutronError('DuplicateSubPort', {
        type: subPort.segmentation_type,
        id: subPort.segmentation_id,
        trunk: trunk.id,
      });
  }
}
