import type { Config } from '../../config/options.ts';
import type { Trx } from '../../db/database.ts';
import type { UpdateOf } from '../../resources/attribute.ts';
import { neutronError } from '../../resources/errors.ts';
import { NETWORK } from '../../resources/network.ts';
import { EVENTS } from '../../rpc/events.ts';
import { plainOf, updatePlain } from '../../store/rows.ts';
import { nextRevision, requireCurrent } from '../../store/standard-attributes.ts';
import type { Core } from '../core.ts';
import { enqueueNotification } from '../events.ts';
import { inserted } from '../module.ts';
import { requirePolicyOnNetwork } from '../qos/supported.ts';
import { type NetworkDocument, networkDocuments } from './documents.ts';
import { setExternal, setShared } from './facets.ts';
import { lockNetwork } from './lock.ts';
import { mtuInForce } from './mtu.ts';
import { PROVIDER } from './provider.ts';
import { moveVlan } from './segments.ts';

export type NetworkUpdate = UpdateOf<typeof NETWORK>;

const MIN_IPV6_MTU = 1280; // RFC 8200, 5
const invalid = (reason: string) => neutronError('InvalidInput', { reason });

const segmentsOf = (trx: Trx, networkId: string) =>
  trx
    .selectFrom('networksegments')
    .selectAll()
    .where('network_id', '=', networkId)
    .where('is_dynamic', '=', 0)
    .orderBy('segment_index')
    .execute();

/** Updates the provider attributes: only the VLAN id of a network with a single VLAN segment may change. */
async function updateProvider(trx: Trx, config: Config, networkId: string, changes: NetworkUpdate): Promise<void> {
  if (!PROVIDER.some((name) => name in changes)) return;
  if ('provider:network_type' in changes || 'provider:physical_network' in changes)
    throw invalid(
      'Plugin does not support updating the following provider network attributes: provider:network_type, provider:physical_network',
    );
  const [segment, ...more] = await segmentsOf(trx, networkId);
  const id = changes['provider:segmentation_id'];
  if (!segment || id === null || id === undefined || segment.segmentation_id === id) return;
  if (segment.network_type !== 'vlan' || more.length > 0) throw invalid('Only VLAN type networks can be updated.');
  const moved = await moveVlan(trx, config, segment, id);
  await trx
    .updateTable('networksegments')
    .set({ segmentation_id: moved.segmentation_id })
    .where('id', '=', segment.id)
    .execute();
}

/** As in Neutron, the segments of a network cannot be updated; a request may repeat them. */
async function requireSameSegments(trx: Trx, networkId: string, wanted: NetworkUpdate['segments']): Promise<void> {
  if (wanted === undefined) return;
  const segments = await segmentsOf(trx, networkId);
  const same = (requested: unknown, actual: unknown): boolean => requested === null || requested === actual;
  const repeated = wanted.every((one, i) => {
    const now = segments[i];
    return (
      now !== undefined &&
      same(one['provider:network_type'], now.network_type) &&
      same(one['provider:physical_network'], now.physical_network) &&
      same(one['provider:segmentation_id'], now.segmentation_id)
    );
  });
  if (!repeated || wanted.length !== segments.length) throw invalid('segments of a network cannot be changed');
}

async function newMtu(trx: Trx, config: Config, networkId: string, wanted: number): Promise<number> {
  const mtu = mtuInForce(config, wanted, await segmentsOf(trx, networkId));
  if (mtu >= MIN_IPV6_MTU) return mtu;
  const v6 = await trx
    .selectFrom('subnets')
    .select('id')
    .where('network_id', '=', networkId)
    .where('ip_version', '=', 6)
    .limit(1)
    .executeTakeFirst();
  if (v6) throw invalid(`Cannot set an MTU below ${MIN_IPV6_MTU} on a network with IPv6 subnets`);
  return mtu;
}

async function changeRows(
  trx: Trx,
  core: Core,
  network: Awaited<ReturnType<typeof lockNetwork>>,
  changes: NetworkUpdate,
): Promise<void> {
  const { id, standard_attr_id: attr } = network;
  const plain = plainOf(NETWORK, changes);
  const mtu = changes.mtu === undefined ? {} : { mtu: await newMtu(trx, core.config, id, changes.mtu) };
  await updatePlain(trx, NETWORK, { id, attr }, { ...plain, ...mtu });
  if (changes.shared !== undefined) await setShared(trx, id, network.project_id, changes.shared);
  const { 'router:external': external, is_default: isDefault } = changes;
  if (external !== undefined || isDefault !== undefined) await setExternal(trx, core, network, { external, isDefault });
}

/** Returns a network's document without revision number and times, to compare it. */
const substance = (document: NetworkDocument): string =>
  JSON.stringify({ ...document, updated_at: null, revision_number: null });

/**
 * Updates a network in the caller's transaction and enqueues the notifications of agents; returns its new document. A PUT that
 * changes nothing does not increment the revision. Throws NeutronError: NetworkNotFound, RevisionNumberConstraintFailed, and for
 * invalid values.
 */
export async function updateNetwork(
  trx: Trx,
  core: Core,
  id: string,
  changes: NetworkUpdate,
  revision?: number,
): Promise<NetworkDocument> {
  const network = await lockNetwork(trx, core.db, id);
  const load = async () => inserted((await networkDocuments(trx, [id])).get(id), 'network', id);
  const before = await load();
  requireCurrent(before.revision_number, revision);
  await updateProvider(trx, core.config, id, changes);
  await requireSameSegments(trx, id, changes.segments);
  await changeRows(trx, core, network, changes);
  const changed = await load();
  if (substance(before) === substance(changed)) return changed;
  const { qos_policy_id: policy } = changed;
  if (policy !== null && policy !== before.qos_policy_id) await requirePolicyOnNetwork(trx, core, policy, id);
  const document = { ...changed, ...(await nextRevision(trx, network.standard_attr_id, before, revision)) };
  await enqueueNotification(trx, EVENTS.network_update_end, { network: document }, { network: id });
  await enqueueNotification(trx, EVENTS.network_update, { network: document }, { network: id });
  return document;
}
