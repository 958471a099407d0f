import type { Config } from '../../config/options.ts';
import type { Trx } from '../../db/database.ts';
import { NeutronError, neutronError } from '../../resources/errors.ts';

/** A segment, which carries a network. */
export interface Segment {
  readonly network_type: string;
  readonly physical_network: string | null;
  readonly segmentation_id: number | null;
}

export interface WantedSegment {
  readonly networkType: string | null;
  readonly physicalNetwork: string | null;
  readonly segmentationId: number | null;
}

interface Range {
  readonly min: number;
  readonly max: number;
}

const MAX_VNI = 16777215;
const VXLAN_OVERHEAD = 50; // outer Ethernet, IPv4, UDP and VXLAN headers (RFC 7348)
const invalid = (reason: string) => neutronError('InvalidInput', { reason });

/** Parses the `physnet:min:max` and `physnet` entries of network_vlan_ranges. Throws an Error that names an invalid entry. */
function parseVlanRanges(entries: readonly string[]): ReadonlyMap<string, readonly Range[]> {
  const ranges = new Map<string, Range[]>();
  for (const entry of entries) {
    const [physnet = '', min, max, ...rest] = entry.split(':');
    const known = ranges.get(physnet) ?? [];
    ranges.set(physnet, known);
    if (physnet !== '' && min === undefined) continue;
    const range = { min: Number(min), max: Number(max) };
    const fine = physnet !== '' && rest.length === 0 && Number.isInteger(range.min) && Number.isInteger(range.max);
    if (!fine || range.min < 1 || range.max > 4094 || range.min > range.max)
      throw new Error(
        `[ml2_type_vlan] network_vlan_ranges: '${entry}' is none of physnet, physnet:min:max with 1 <= min <= max <= 4094`,
      );
    known.push(range);
  }
  return ranges;
}

/** Parses the `min:max` entries of vni_ranges. Throws an Error that names an invalid entry. */
function parseVniRanges(entries: readonly string[]): readonly Range[] {
  return entries.map((entry) => {
    const match = /^(\d+):(\d+)$/.exec(entry);
    const range = { min: Number(match?.[1]), max: Number(match?.[2]) };
    if (!match || range.min < 1 || range.max > MAX_VNI || range.min > range.max)
      throw new Error(`[ml2_type_vxlan] vni_ranges: '${entry}' is not min:max with 1 <= min <= max <= ${MAX_VNI}`);
    return range;
  });
}

/** Returns the largest MTU of networks of this type. */
export function largestMtu(config: Config, networkType: string, physicalNetwork: string | null): number {
  const { path_mtu: pathMtu, physical_network_mtus: mtus } = config.ml2;
  const global = config.DEFAULT.global_physnet_mtu;
  const own = mtus.map((m) => m.split(':')).find(([name]) => name === physicalNetwork)?.[1];
  const physical = own === undefined ? global : Math.min(Number(own), global);
  if (networkType !== 'vxlan') return physical;
  return (pathMtu === 0 ? global : Math.min(pathMtu, global)) - VXLAN_OVERHEAD;
}

/** Validates a requested segment (provider attributes). Throws InvalidInput, as Neutron does for its type. */
function checkWantedSegment(config: Config, wanted: WantedSegment): void {
  const { networkType: type, physicalNetwork: physnet, segmentationId: id } = wanted;
  if (type === null) throw invalid('network_type required');
  if (!config.ml2.type_drivers.includes(type)) throw invalid(`network_type value '${type}' not supported`);
  if (type === 'local') {
    if (physnet !== null) throw invalid('physical_network prohibited for local provider network');
    if (id !== null) throw invalid('segmentation_id prohibited for local provider network');
  } else if (type === 'flat') checkFlat(config, physnet, id);
  else if (type === 'vlan') checkVlan(config, physnet, id);
  else {
    if (physnet !== null) throw invalid(`provider:physical_network specified for ${type} network`);
    if (id !== null && (id < 1 || id > MAX_VNI)) throw invalid(`segmentation_id out of range (1 through ${MAX_VNI})`);
  }
}

function checkFlat(config: Config, physnet: string | null, id: number | null): void {
  if (physnet === null || physnet === '') throw invalid('physical_network required for flat provider network');
  const allowed = config.ml2_type_flat.flat_networks;
  if (!allowed.includes('*') && !allowed.includes(physnet))
    throw invalid(`physical_network '${physnet}' unknown for flat provider network`);
  if (id !== null) throw invalid('segmentation_id prohibited for flat provider network');
}

function checkVlan(config: Config, physnet: string | null, id: number | null): void {
  const ranges = parseVlanRanges(config.ml2_type_vlan.network_vlan_ranges);
  if (physnet === null) {
    if (id !== null) throw invalid('segmentation_id requires physical_network for VLAN provider network');
    return;
  }
  const known = ranges.get(physnet);
  if (!known) throw invalid(`physical_network '${physnet}' unknown for VLAN provider network`);
  if (id !== null && (id < 1 || id > 4094)) throw invalid('segmentation_id out of range (1 through 4094)');
  if (id === null && known.length === 0)
    throw invalid(
      `Physical network ${physnet} requires segmentation_id to be specified when creating a provider network`,
    );
}

async function insertedVlan(trx: Trx, physnet: string, id: number): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await trx
    .insertInto('ml2_vlan_allocations')
    .ignore()
    .values({ physical_network: physnet, vlan_id: id, allocated: 1 })
    .executeTakeFirstOrThrow();
  return (numInsertedOrUpdatedRows ?? 0n) > 0n;
}

async function insertedVni(trx: Trx, vni: number): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await trx
    .insertInto('ml2_vxlan_allocations')
    .ignore()
    .values({ vxlan_vni: vni, allocated: 1 })
    .executeTakeFirstOrThrow();
  return (numInsertedOrUpdatedRows ?? 0n) > 0n;
}

const RANDOM_TRIES = 8;

/**
 * Allocates a free id from the ranges: a random one while they have room, otherwise the first free one after a random point.
 * `taken` returns ids in use between two bounds, ascending; `insert` decides, by its unique key.
 */
async function freeId(
  ranges: readonly Range[],
  insert: (id: number) => Promise<boolean>,
  taken: (range: Range) => Promise<readonly number[]>,
): Promise<number | undefined> {
  const total = ranges.reduce((sum, r) => sum + r.max - r.min + 1, 0);
  if (total === 0) return undefined;
  for (let tries = 0; tries < RANDOM_TRIES; tries++) {
    let at = Math.floor(Math.random() * total);
    const range = ranges.find((r) => {
      const size = r.max - r.min + 1;
      if (at < size) return true;
      at -= size;
      return false;
    });
    if (range && (await insert(range.min + at))) return range.min + at;
  }
  for (const range of ranges) {
    const used = new Set(await taken(range));
    const size = range.max - range.min + 1;
    const start = Math.floor(Math.random() * size);
    for (let i = 0; i < size; i++) {
      const id = range.min + ((start + i) % size);
      if (!used.has(id) && (await insert(id))) return id;
    }
  }
  return undefined;
}

async function allocateVlan(
  trx: Trx,
  config: Config,
  physnet: string | null,
  id: number | null,
): Promise<Segment | undefined> {
  const ranges = parseVlanRanges(config.ml2_type_vlan.network_vlan_ranges);
  if (physnet !== null && id !== null) {
    if (!(await insertedVlan(trx, physnet, id))) throw neutronError('VlanIdInUse', { vlan: id, physnet });
    return { network_type: 'vlan', physical_network: physnet, segmentation_id: id };
  }
  for (const [name, own] of physnet === null ? ranges : [[physnet, ranges.get(physnet) ?? []] as const]) {
    const found = await freeId(
      own,
      (vlan) => insertedVlan(trx, name, vlan),
      async (range) =>
        (
          await trx
            .selectFrom('ml2_vlan_allocations')
            .select('vlan_id')
            .where('physical_network', '=', name)
            .where('vlan_id', '>=', range.min)
            .where('vlan_id', '<=', range.max)
            .execute()
        ).map((r) => r.vlan_id),
    );
    if (found !== undefined) return { network_type: 'vlan', physical_network: name, segmentation_id: found };
  }
  return undefined;
}

async function allocateVxlan(trx: Trx, config: Config, id: number | null): Promise<Segment | undefined> {
  if (id !== null) {
    if (!(await insertedVni(trx, id))) throw neutronError('TunnelIdInUse', { tunnel: id });
    return { network_type: 'vxlan', physical_network: null, segmentation_id: id };
  }
  const found = await freeId(
    parseVniRanges(config.ml2_type_vxlan.vni_ranges),
    (vni) => insertedVni(trx, vni),
    async (range) =>
      (
        await trx
          .selectFrom('ml2_vxlan_allocations')
          .select('vxlan_vni')
          .where('vxlan_vni', '>=', range.min)
          .where('vxlan_vni', '<=', range.max)
          .execute()
      ).map((r) => r.vxlan_vni),
  );
  return found === undefined ? undefined : { network_type: 'vxlan', physical_network: null, segmentation_id: found };
}

async function allocateFlat(trx: Trx, physnet: string): Promise<Segment> {
  const { numInsertedOrUpdatedRows } = await trx
    .insertInto('ml2_flat_allocations')
    .ignore()
    .values({ physical_network: physnet })
    .executeTakeFirstOrThrow();
  if ((numInsertedOrUpdatedRows ?? 0n) === 0n) throw neutronError('FlatNetworkInUse', { physnet });
  return { network_type: 'flat', physical_network: physnet, segmentation_id: null };
}

async function allocate(trx: Trx, config: Config, wanted: WantedSegment): Promise<Segment | undefined> {
  const { networkType: type, physicalNetwork: physnet, segmentationId: id } = wanted;
  if (type === 'local') return { network_type: 'local', physical_network: null, segmentation_id: null };
  if (type === 'flat') return allocateFlat(trx, physnet ?? '');
  if (type === 'vlan') return allocateVlan(trx, config, physnet, id);
  if (type === 'vxlan') return allocateVxlan(trx, config, id);
  return undefined;
}

/** Allocates the requested segment, or one of tenant_network_types. Throws NeutronError if it is in use or none is left. */
export async function allocateSegment(trx: Trx, config: Config, wanted: WantedSegment | undefined): Promise<Segment> {
  if (wanted) {
    checkWantedSegment(config, wanted);
    const segment = await allocate(trx, config, wanted);
    if (segment) return segment;
    throw neutronError('NoNetworkAvailable');
  }
  for (const networkType of config.ml2.tenant_network_types) {
    // A flat network needs a physical network, which projects cannot specify.
    if (networkType === 'flat') continue;
    const segment = await allocate(trx, config, { networkType, physicalNetwork: null, segmentationId: null });
    if (segment) return segment;
  }
  throw neutronError('NoNetworkAvailable');
}

/** Releases a segment's id. */
export async function releaseSegment(trx: Trx, segment: Segment): Promise<void> {
  const { network_type: type, physical_network: physnet, segmentation_id: id } = segment;
  if (type === 'flat' && physnet !== null)
    await trx.deleteFrom('ml2_flat_allocations').where('physical_network', '=', physnet).execute();
  if (type === 'vlan' && physnet !== null && id !== null)
    await trx
      .deleteFrom('ml2_vlan_allocations')
      .where('physical_network', '=', physnet)
      .where('vlan_id', '=', id)
      .execute();
  if (type === 'vxlan' && id !== null)
    await trx.deleteFrom('ml2_vxlan_allocations').where('vxlan_vni', '=', id).execute();
}

/** Moves a VLAN network to another VLAN id. Throws VlanIdInUse. */
export async function moveVlan(trx: Trx, config: Config, segment: Segment, id: number): Promise<Segment> {
  checkWantedSegment(config, { networkType: 'vlan', physicalNetwork: segment.physical_network, segmentationId: id });
  const moved = await allocateVlan(trx, config, segment.physical_network, id);
  if (!moved) throw new NeutronError('NoNetworkAvailable', 'no VLAN id is free');
  await releaseSegment(trx, segment);
  return moved;
}
