import type { Config } from '../../config/options.ts';
import type { Trx } from '../../db/database.ts';
import type { UpdateOf } from '../../resources/attribute.ts';
import { neutronError } from '../../resources/errors.ts';
import type { NETWORK } from '../../resources/network.ts';
import { EVENTS } from '../../rpc/events.ts';
import type { Core, Document, RequestContext } from '../core.ts';
import { enqueueNotification } from '../events.ts';
import { bumpRevision, requireRevision } from '../standard-attributes.ts';
import { networkDocuments } from './documents.ts';
import { refuseQos, setDnsDomain, setExternal, setShared } from './facets.ts';
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

/** Only the VLAN id of a network of one VLAN may change. */
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

async function changeExternal(trx: Trx, networkId: string, changes: NetworkUpdate): Promise<void> {
  const { 'router:external': external, is_default: isDefault } = changes;
  if (external === undefined && isDefault === undefined) return;
  const now = await trx
    .selectFrom('externalnetworks')
    .selectAll()
    .where('network_id', '=', networkId)
    .executeTakeFirst();
  await setExternal(trx, networkId, external ?? now !== undefined, isDefault ?? now?.is_default === 1);
}

async function changeRows(
  trx: Trx,
  core: Core,
  network: Awaited<ReturnType<typeof lockNetwork>>,
  changes: NetworkUpdate,
): Promise<void> {
  const { id } = network;
  const columns: { name?: string; admin_state_up?: number; mtu?: number } = {};
  if (changes.name !== undefined) columns.name = changes.name;
  if (changes.admin_state_up !== undefined) columns.admin_state_up = changes.admin_state_up ? 1 : 0;
  if (changes.mtu !== undefined) columns.mtu = await newMtu(trx, core.config, id, changes.mtu);
  if (Object.keys(columns).length > 0) await trx.updateTable('networks').set(columns).where('id', '=', id).execute();
  if (changes.description !== undefined)
    await trx
      .updateTable('standardattributes')
      .set({ description: changes.description })
      .where('id', '=', network.standard_attr_id)
      .execute();
  if (changes.shared !== undefined) await setShared(trx, id, network.project_id, changes.shared);
  await changeExternal(trx, id, changes);
  if (changes.dns_domain !== undefined) await setDnsDomain(trx, id, changes.dns_domain);
  if (changes.port_security_enabled !== undefined)
    await trx
      .updateTable('networksecuritybindings')
      .set({ port_security_enabled: changes.port_security_enabled ? 1 : 0 })
      .where('network_id', '=', id)
      .execute();
}

/** What a change can change: a network's document less what counts and dates the change. */
const substance = (document: Document | undefined): string =>
  JSON.stringify({ ...document, updated_at: null, revision_number: null });

/**
 * Changes a network in the caller's transaction and writes down what agents must be told; gives its new document. A PUT that
 * changes nothing is not counted. Throws NeutronError: NetworkNotFound, RevisionNumberConstraintFailed, and whatever is wrong.
 */
export async function updateNetwork(
  trx: Trx,
  core: Core,
  context: RequestContext,
  id: string,
  changes: NetworkUpdate,
  revision?: number,
): Promise<Document> {
  const network = await lockNetwork(trx, core.db.dialect, context, id);
  await requireRevision(trx, network.standard_attr_id, revision);
  refuseQos(changes.qos_policy_id);
  const before = (await networkDocuments(trx, [id])).get(id);
  await updateProvider(trx, core.config, id, changes);
  await changeRows(trx, core, network, changes);
  const after = (await networkDocuments(trx, [id])).get(id);
  if (substance(before) === substance(after)) return after ?? {};
  await bumpRevision(trx, network.standard_attr_id, revision);
  const document = (await networkDocuments(trx, [id])).get(id) ?? {};
  await enqueueNotification(trx, EVENTS.network_update_end, { network: document }, { network: id });
  await enqueueNotification(trx, EVENTS.network_update, { network: document }, { network: id });
  return document;
}
