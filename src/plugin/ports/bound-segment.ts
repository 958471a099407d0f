import type { Queries } from '../../db/database.ts';
import type { L2Agent } from '../../scheduler/l2-agents.ts';
import { isBound } from '../provisioning.ts';
import { bindPort } from './binding.ts';
import type { NetworkFacts } from './network-facts.ts';

/** The facts about the segment that carries a port's traffic. */
type SegmentFacts = Pick<NetworkFacts, 'segmentId' | 'networkType' | 'physicalNetwork' | 'segmentationId'>;

async function segmentsOf(db: Queries, networkId: string): Promise<readonly SegmentFacts[]> {
  const rows = await db
    .selectFrom('networksegments')
    .select(['id', 'network_type', 'physical_network', 'segmentation_id'])
    .where('network_id', '=', networkId)
    .orderBy('segment_index')
    .execute();
  return rows.map((row) => ({
    segmentId: row.id,
    networkType: row.network_type,
    physicalNetwork: row.physical_network,
    segmentationId: row.segmentation_id,
  }));
}

/**
 * Returns the network with the segment to which the agent of the host can bind a port: that of `subnets`, from which the port has its
 * addresses, otherwise the first that it reaches.
 */
export async function withSegmentForHost(
  db: Queries,
  network: NetworkFacts,
  host: string,
  vnicType: string,
  agent: L2Agent | undefined,
  subnets: readonly { readonly segmentId: string | null }[],
): Promise<NetworkFacts> {
  if (!network.hasFurtherSegments || host === '') return network;
  const segments = await segmentsOf(db, network.id);
  const addressed = new Set(subnets.map((s) => s.segmentId));
  const inOrder = [
    ...segments.filter((s) => addressed.has(s.segmentId)),
    ...segments.filter((s) => !addressed.has(s.segmentId)),
  ];
  const bound = inOrder.find((s) => isBound(bindPort(host, vnicType, { ...network, ...s }, agent).vifType));
  return { ...network, ...(bound ?? inOrder[0]) };
}

/** Returns the network with the segment to which a port is bound on a host. */
export async function withBoundSegment(
  db: Queries,
  network: NetworkFacts,
  portId: string,
  host: string,
): Promise<NetworkFacts> {
  if (!network.hasFurtherSegments || host === '') return network;
  const level = await db
    .selectFrom('ml2_port_binding_levels')
    .select('segment_id')
    .where('port_id', '=', portId)
    .where('host', '=', host)
    .executeTakeFirst();
  const bound = (await segmentsOf(db, network.id)).find((s) => s.segmentId === level?.segment_id);
  return bound ? { ...network, ...bound } : network;
}
