import type { Queries } from '../db/database.ts';
import type { Core } from '../plugin/core.ts';
import { portDocuments } from '../plugin/ports/documents.ts';
import { subnetDocuments } from '../plugin/subnets/documents.ts';
import type { NetworkInfo } from '../rpc/documents.ts';
import { hostsOfSegments } from '../scheduler/segment-hosts.ts';
import { groupBy, loadInOrder } from '../store/listing.ts';

interface Segment {
  readonly id: string;
  readonly network_id: string;
  readonly name: string | null;
  readonly network_type: string;
  readonly physical_network: string | null;
  readonly segmentation_id: number | null;
  readonly is_dynamic: number;
  readonly segment_index: number;
}

async function segmentsOf(db: Queries, networkIds: string[]): Promise<ReadonlyMap<string, Segment[]>> {
  const rows = await db
    .selectFrom('networksegments')
    .select(['id', 'network_id', 'name', 'network_type', 'physical_network', 'segmentation_id'])
    .select(['is_dynamic', 'segment_index'])
    .where('network_id', 'in', networkIds)
    .orderBy('segment_index')
    .execute();
  return groupBy(rows, (row) => row.network_id);
}

interface Placed {
  readonly segment_id: string | null;
}

/**
 * Splits the subnets of a routed network into those on segments that the host reaches and the others, which its machines can reach
 * over routers only. Subnets of other networks are all local. As in Neutron, those without a segment are omitted from routed networks.
 */
function placed<S extends Placed>(
  subnets: readonly S[],
  reached: ReadonlySet<string>,
): { readonly subnets: readonly S[]; readonly non_local_subnets: readonly S[] } {
  const routed = subnets.filter((s) => s.segment_id !== null);
  if (routed.length === 0) return { subnets, non_local_subnets: [] };
  const isLocal = ({ segment_id }: S) => segment_id !== null && reached.has(segment_id);
  return { subnets: routed.filter(isLocal), non_local_subnets: routed.filter((s) => !isLocal(s)) };
}

async function subnetsOf(db: Queries, networkIds: string[], dhcpOnly: boolean) {
  let query = db.selectFrom('subnets').select('id').where('network_id', 'in', networkIds).orderBy('id');
  if (dhcpOnly) query = query.where('enable_dhcp', '=', 1);
  const rows = await query.execute();
  return loadInOrder(
    rows.map((row) => row.id),
    (ids) => subnetDocuments(db, ids),
  );
}

async function portsOf(core: Core, db: Queries, networkIds: string[]) {
  const rows = await db.selectFrom('ports').select('id').where('network_id', 'in', networkIds).orderBy('id').execute();
  return loadInOrder(
    rows.map((row) => row.id),
    (ids) => portDocuments(db, core.config, ids),
  );
}

const ofNetwork = (document: { readonly network_id: string }): string => document.network_id;

/**
 * Returns the documents of `get_network_info`, everything that the DHCP agent of a host needs, in the order of the ids. Unknown ids
 * are omitted. `dhcpOnly`: omit subnets without DHCP.
 */
export async function networkInfos(
  core: Core,
  networkIds: readonly string[],
  host: string,
  dhcpOnly: boolean,
): Promise<readonly NetworkInfo[]> {
  const db = core.db.kysely;
  return loadInOrder(networkIds, async (ids) => {
    const some = [...ids];
    const networks = await db
      .selectFrom('networks')
      .select(['id', 'name', 'project_id', 'admin_state_up', 'mtu'])
      .where('id', 'in', some)
      .execute();
    const subnets = groupBy(await subnetsOf(db, some, dhcpOnly), ofNetwork);
    const ports = groupBy(await portsOf(core, db, some), ofNetwork);
    const segments = await segmentsOf(db, some);
    // Agents read the hosts of routed networks only; those of others would be half of the answer.
    const routed = [...subnets].filter(([, own]) => own.some((s) => s.segment_id !== null));
    const hosts = await hostsOfSegments(
      db,
      routed.flatMap(([id]) => segments.get(id)?.map((s) => s.id) ?? []),
    );
    return new Map(
      networks.map((network) => {
        const own = segments.get(network.id) ?? [];
        const reached = new Set(own.map((s) => s.id).filter((id) => hosts.get(id)?.includes(host)));
        const info = {
          id: network.id,
          // Not in Neutron's document, whose agents ignore it: agents log it beside the id.
          name: network.name,
          project_id: network.project_id,
          tenant_id: network.project_id,
          admin_state_up: network.admin_state_up === 1,
          ...placed(subnets.get(network.id) ?? [], reached),
          ports: ports.get(network.id) ?? [],
          mtu: network.mtu,
          segments: own.map((s) => ({ ...s, is_dynamic: s.is_dynamic === 1, hosts: hosts.get(s.id) ?? [] })),
        };
        return [network.id, info];
      }),
    );
  });
}
