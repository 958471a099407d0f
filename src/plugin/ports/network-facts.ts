import type { Queries } from '../../db/database.ts';
import { type ParameterOf, prepared } from '../../db/prepared.ts';
import type { AllocatableSubnet } from '../../ipam/allocate.ts';
import { type Cidr, parseCidr, parseIp } from '../../net/addresses.ts';

/** The facts about a subnet that port operations need. */
export interface SubnetFacts extends AllocatableSubnet {
  readonly cidr: Cidr;
  readonly enableDhcp: boolean;
  /** The segment to which it belongs; null: it is on the whole network. */
  readonly segmentId: string | null;
  /** Addresses are derived from the prefix and the MAC (SLAAC, stateless DHCPv6). */
  readonly autoAddress: boolean;
  /** Device owners that it is reserved for; empty: all. */
  readonly serviceTypes: readonly string[];
}

/** The facts about a network that port operations need. */
export interface NetworkFacts {
  readonly id: string;
  readonly projectId: string;
  readonly portSecurityEnabled: boolean;
  readonly networkType: string;
  readonly physicalNetwork: string | null;
  readonly segmentationId: number | null;
  readonly segmentId: string | null;
  /** Whether it has more segments than the one above, its first. */
  readonly hasFurtherSegments: boolean;
  readonly qosPolicyId: string | null;
  /** In order of creation. */
  readonly subnets: readonly SubnetFacts[];
}

interface SubnetColumns {
  readonly subnet_id: string | null;
  readonly ip_version: number | null;
  readonly cidr: string | null;
  readonly enable_dhcp: number | null;
  readonly subnet_segment_id: string | null;
  readonly ipv6_ra_mode: string | null;
  readonly ipv6_address_mode: string | null;
  readonly first_ip: string | null;
  readonly last_ip: string | null;
  readonly service_type: string | null;
}

/** A row per subnet, pool and service type of a network; each contains the network's own columns. */
export interface NetworkRow extends SubnetColumns {
  readonly id: string;
  readonly project_id: string;
  readonly port_security_enabled: number | null;
  readonly network_type: string | null;
  readonly physical_network: string | null;
  readonly segmentation_id: number | null;
  readonly segment_id: string | null;
  readonly qos_policy_id: string | null;
  readonly further_segments: number | bigint;
}

/** One query for everything, because every port waits for each round trip to the database. */
export const selectNetwork = (db: Queries, p: ParameterOf<{ id: string }>) =>
  db
    .selectFrom('networks')
    .leftJoin('networksecuritybindings as ps', 'ps.network_id', 'networks.id')
    .leftJoin('networksegments as s', (join) =>
      join.onRef('s.network_id', '=', 'networks.id').on('s.segment_index', '=', 0),
    )
    .leftJoin('qos_network_policy_bindings as q', 'q.network_id', 'networks.id')
    .leftJoin('subnets', 'subnets.network_id', 'networks.id')
    .leftJoin('ipallocationpools as pool', 'pool.subnet_id', 'subnets.id')
    .leftJoin('subnet_service_types as t', 't.subnet_id', 'subnets.id')
    .select([
      'networks.id',
      'networks.project_id',
      'ps.port_security_enabled',
      's.network_type',
      's.physical_network',
      's.segmentation_id',
      's.id as segment_id',
      'q.policy_id as qos_policy_id',
      'subnets.id as subnet_id',
      'subnets.ip_version',
      'subnets.cidr',
      'subnets.enable_dhcp',
      'subnets.segment_id as subnet_segment_id',
      'subnets.ipv6_ra_mode',
      'subnets.ipv6_address_mode',
      'pool.first_ip',
      'pool.last_ip',
      't.service_type',
    ])
    .select((eb) =>
      eb
        .exists(
          eb
            .selectFrom('networksegments as more')
            .select('more.id')
            .whereRef('more.network_id', '=', 'networks.id')
            .where('more.segment_index', '>', 0),
        )
        .as('further_segments'),
    )
    .where('networks.id', '=', p('id'))
    .orderBy('subnets.standard_attr_id');

const networkRows = prepared<{ id: string }, NetworkRow>(selectNetwork);

const AUTO_MODES: readonly (string | null)[] = ['slaac', 'dhcpv6-stateless'];

/** Returns whether a subnet's ports get addresses derived from their MACs. */
export const isAutoAddress = (raMode: string | null, addressMode: string | null): boolean =>
  AUTO_MODES.includes(raMode) || AUTO_MODES.includes(addressMode);

function subnetFacts(networkId: string, rows: readonly SubnetColumns[]): readonly SubnetFacts[] {
  const found = new Map<string, SubnetFacts & { pools: { first: bigint; last: bigint }[]; serviceTypes: string[] }>();
  for (const row of rows) {
    // A network without subnets.
    if (row.subnet_id === null) continue;
    let subnet = found.get(row.subnet_id);
    if (!subnet) {
      const cidr = parseCidr(row.cidr ?? '');
      if (!cidr) throw new Error(`subnet ${row.subnet_id} has an invalid cidr in the database: '${row.cidr}'`);
      subnet = {
        id: row.subnet_id,
        networkId,
        ipVersion: row.ip_version === 6 ? 6 : 4,
        cidr,
        enableDhcp: row.enable_dhcp === 1,
        segmentId: row.subnet_segment_id,
        autoAddress: isAutoAddress(row.ipv6_ra_mode, row.ipv6_address_mode),
        pools: [],
        serviceTypes: [],
      };
      found.set(row.subnet_id, subnet);
    }
    const first = row.first_ip === null ? undefined : parseIp(row.first_ip);
    const last = row.last_ip === null ? undefined : parseIp(row.last_ip);
    // The rows are a product of pools, service types and other joins: each pool may occur more than once.
    if (first && last && !subnet.pools.some((p) => p.first === first.value))
      subnet.pools.push({ first: first.value, last: last.value });
    if (row.service_type !== null && !subnet.serviceTypes.includes(row.service_type))
      subnet.serviceTypes.push(row.service_type);
  }
  return [...found.values()];
}

/** Returns the facts about a network that port operations need; undefined if there is no such network. */
export async function networkFacts(db: Queries, id: string): Promise<NetworkFacts | undefined> {
  return factsOf((await networkRows(db, { id })).rows);
}

/** Returns the network described by the rows; undefined if there are none. */
export function factsOf(rows: readonly NetworkRow[]): NetworkFacts | undefined {
  const [row] = rows;
  if (!row) return undefined;
  return {
    id: row.id,
    projectId: row.project_id,
    portSecurityEnabled: row.port_security_enabled !== 0,
    networkType: row.network_type ?? 'local',
    physicalNetwork: row.physical_network,
    segmentationId: row.segmentation_id,
    segmentId: row.segment_id,
    hasFurtherSegments: Number(row.further_segments) === 1,
    qosPolicyId: row.qos_policy_id,
    subnets: subnetFacts(row.id, rows),
  };
}
