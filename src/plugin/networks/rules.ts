import { randomUUID } from 'node:crypto';
import type { Config } from '../../config/options.ts';
import type { Trx } from '../../db/database.ts';
import type { CreateOf, UpdateOf } from '../../resources/attribute.ts';
import { neutronError } from '../../resources/errors.ts';
import type { NETWORK } from '../../resources/network.ts';
import type { Core, Document, RequestContext, ResourceRules } from '../core.ts';
import { tellAgents } from '../events.ts';
import { type Condition, listIds, loadInOrder } from '../listing.ts';
import { deleteAutomaticPorts, portsInUse } from '../ports/of-network.ts';
import { bumpRevision, insertStandardAttributes, nowText, requireRevision } from '../standard-attributes.ts';
import { NETWORK_LIST, networkDocuments } from './documents.ts';
import { allocateSegment, largestMtu, moveVlan, releaseSegment, type Segment, type WantedSegment } from './segments.ts';
import { visibleNetworks } from './visible.ts';

type Create = CreateOf<typeof NETWORK>;
type Update = UpdateOf<typeof NETWORK>;

const PROVIDER = ['provider:network_type', 'provider:physical_network', 'provider:segmentation_id'] as const;
const MIN_IPV6_MTU = 1280;

/** The segment that the provider attributes name; undefined when they name none. */
function wantedSegment(values: Create): WantedSegment | undefined {
  const [type, physnet, id] = PROVIDER.map((name) => values[name] ?? null) as [
    string | null,
    string | null,
    number | null,
  ];
  return type === null && physnet === null && id === null
    ? undefined
    : { networkType: type, physicalNetwork: physnet, segmentationId: id };
}

/** The MTU in force: as asked (0: the largest). Throws InvalidInput when the network cannot carry it. */
function mtuInForce(config: Config, wanted: number, segment: Segment): number {
  const largest = largestMtu(config, segment.network_type, segment.physical_network);
  if (wanted > largest)
    throw neutronError('InvalidInput', { reason: `Requested MTU is too big, maximum is ${largest}` });
  return wanted === 0 ? largest : wanted;
}

async function setShared(trx: Trx, networkId: string, projectId: string, shared: boolean): Promise<void> {
  const rows = () =>
    trx
      .deleteFrom('networkrbacs')
      .where('object_id', '=', networkId)
      .where('action', '=', 'access_as_shared')
      .where('target_project', '=', '*');
  if (!shared) {
    const foreign = await trx
      .selectFrom('ports')
      .select('id')
      .where('network_id', '=', networkId)
      .where('project_id', 'not in', [projectId, ''])
      .limit(1)
      .executeTakeFirst();
    if (foreign) throw neutronError('InvalidSharedSetting', { id: networkId });
  }
  await rows().execute();
  if (shared)
    await trx
      .insertInto('networkrbacs')
      .values({
        id: randomUUID(),
        object_id: networkId,
        project_id: projectId,
        target_project: '*',
        action: 'access_as_shared',
      })
      .execute();
}

async function setExternal(trx: Trx, networkId: string, external: boolean, isDefault: boolean): Promise<void> {
  await trx.deleteFrom('externalnetworks').where('network_id', '=', networkId).execute();
  if (external)
    await trx
      .insertInto('externalnetworks')
      .values({ network_id: networkId, is_default: isDefault ? 1 : 0 })
      .execute();
}

async function setDnsDomain(trx: Trx, networkId: string, domain: string): Promise<void> {
  await trx.deleteFrom('networkdnsdomains').where('network_id', '=', networkId).execute();
  if (domain !== '')
    await trx.insertInto('networkdnsdomains').values({ network_id: networkId, dns_domain: domain }).execute();
}

async function requireZones(trx: Trx, zones: readonly string[]): Promise<void> {
  for (const zone of zones) {
    const known = await trx
      .selectFrom('agents')
      .select('id')
      .where('availability_zone', '=', zone)
      .limit(1)
      .executeTakeFirst();
    if (!known) throw neutronError('AvailabilityZoneNotFound', { zone });
  }
}

function refuseQos(policy: string | null | undefined): void {
  if (policy !== null && policy !== undefined) throw neutronError('QosPolicyNotFound', { id: policy });
}

async function createNetwork(trx: Trx, core: Core, values: Create): Promise<string> {
  refuseQos(values.qos_policy_id);
  await requireZones(trx, values.availability_zone_hints);
  const segment = await allocateSegment(trx, core.config, wantedSegment(values));
  const mtu = mtuInForce(core.config, values.mtu, segment);
  const id = randomUUID();
  const now = nowText();
  const project = values.project_id;
  // Neutron counts a network's making as one change more than the row itself.
  const attr = await insertStandardAttributes(trx, {
    resource_type: 'networks',
    description: values.description,
    revision_number: 1,
    now,
  });
  await trx
    .insertInto('networks')
    .values({
      id,
      project_id: project,
      name: values.name,
      status: 'ACTIVE',
      admin_state_up: values.admin_state_up ? 1 : 0,
      mtu,
      availability_zone_hints: JSON.stringify(values.availability_zone_hints),
      standard_attr_id: attr,
    })
    .execute();
  const segmentAttr = await insertStandardAttributes(trx, {
    resource_type: 'networksegments',
    description: '',
    revision_number: 0,
    now,
  });
  await trx
    .insertInto('networksegments')
    .values({
      id: randomUUID(),
      network_id: id,
      name: null,
      ...segment,
      segment_index: 0,
      is_dynamic: 0,
      standard_attr_id: segmentAttr,
    })
    .execute();
  await trx
    .insertInto('networksecuritybindings')
    .values({ network_id: id, port_security_enabled: values.port_security_enabled ? 1 : 0 })
    .execute();
  if (values.dns_domain !== '') await setDnsDomain(trx, id, values.dns_domain);
  if (values.shared) await setShared(trx, id, project, true);
  if (values['router:external']) await setExternal(trx, id, true, values.is_default);
  return id;
}

async function requireNetwork(trx: Trx, context: RequestContext, id: string) {
  const row = await trx
    .selectFrom('networks')
    .selectAll()
    .where('id', '=', id)
    .where(visibleNetworks(context))
    .executeTakeFirst();
  if (!row) throw neutronError('NetworkNotFound', { id });
  return row;
}

async function firstSegment(trx: Trx, networkId: string) {
  return trx
    .selectFrom('networksegments')
    .selectAll()
    .where('network_id', '=', networkId)
    .orderBy('segment_index')
    .executeTakeFirst();
}

/** Only the VLAN id of a VLAN network may change. */
async function updateProvider(trx: Trx, config: Config, networkId: string, changes: Update): Promise<void> {
  if (!PROVIDER.some((name) => name in changes)) return;
  if ('provider:network_type' in changes || 'provider:physical_network' in changes)
    throw neutronError('InvalidInput', {
      reason:
        'Plugin does not support updating the following provider network attributes: provider:network_type, provider:physical_network',
    });
  const segment = await firstSegment(trx, networkId);
  const id = changes['provider:segmentation_id'];
  if (!segment || id === null || id === undefined || segment.segmentation_id === id) return;
  if (segment.network_type !== 'vlan')
    throw neutronError('InvalidInput', { reason: 'Only VLAN type networks can be updated.' });
  const moved = await moveVlan(trx, config, segment, id);
  await trx
    .updateTable('networksegments')
    .set({ segmentation_id: moved.segmentation_id })
    .where('id', '=', segment.id)
    .execute();
}

async function updateNetwork(
  trx: Trx,
  core: Core,
  context: RequestContext,
  id: string,
  changes: Update,
  revision?: number,
): Promise<void> {
  const network = await requireNetwork(trx, context, id);
  await requireRevision(trx, network.standard_attr_id, revision);
  refuseQos(changes.qos_policy_id);
  await updateProvider(trx, core.config, id, changes);
  const columns: { name?: string; admin_state_up?: number; mtu?: number } = {};
  if (changes.name !== undefined) columns.name = changes.name;
  if (changes.admin_state_up !== undefined) columns.admin_state_up = changes.admin_state_up ? 1 : 0;
  if (changes.mtu !== undefined) {
    const segment = await firstSegment(trx, id);
    if (segment) columns.mtu = mtuInForce(core.config, changes.mtu, segment);
    const v6 = await trx
      .selectFrom('subnets')
      .select('id')
      .where('network_id', '=', id)
      .where('ip_version', '=', 6)
      .limit(1)
      .executeTakeFirst();
    if (v6 && (columns.mtu ?? MIN_IPV6_MTU) < MIN_IPV6_MTU)
      throw neutronError('InvalidInput', {
        reason: `Cannot set an MTU below ${MIN_IPV6_MTU} on a network with IPv6 subnets`,
      });
  }
  if (Object.keys(columns).length > 0) await trx.updateTable('networks').set(columns).where('id', '=', id).execute();
  if (changes.description !== undefined)
    await trx
      .updateTable('standardattributes')
      .set({ description: changes.description })
      .where('id', '=', network.standard_attr_id)
      .execute();
  if (changes.shared !== undefined) await setShared(trx, id, network.project_id, changes.shared);
  if (changes['router:external'] !== undefined)
    await setExternal(trx, id, changes['router:external'], changes.is_default ?? false);
  else if (changes.is_default !== undefined)
    await trx
      .updateTable('externalnetworks')
      .set({ is_default: changes.is_default ? 1 : 0 })
      .where('network_id', '=', id)
      .execute();
  if (changes.dns_domain !== undefined) await setDnsDomain(trx, id, changes.dns_domain);
  if (changes.port_security_enabled !== undefined)
    await trx
      .updateTable('networksecuritybindings')
      .set({ port_security_enabled: changes.port_security_enabled ? 1 : 0 })
      .where('network_id', '=', id)
      .execute();
}

/** What of a network agents care about: its document less what counts and dates the change. */
const substance = (document: Document | undefined): string =>
  JSON.stringify({ ...document, updated_at: null, revision_number: null });

async function deleteNetwork(trx: Trx, context: RequestContext, id: string, revision?: number): Promise<void> {
  const network = await requireNetwork(trx, context, id);
  await requireRevision(trx, network.standard_attr_id, revision);
  const used = await portsInUse(trx, id);
  if (used.length > 0) throw neutronError('NetworkInUse', { id, ports: used.join(',') });
  await deleteAutomaticPorts(trx, id);
  const segments = await trx.selectFrom('networksegments').selectAll().where('network_id', '=', id).execute();
  for (const segment of segments) await releaseSegment(trx, segment);
  const subnets = await trx.selectFrom('subnets').select('standard_attr_id').where('network_id', '=', id).execute();
  // Rows that name the standard attributes (subnets, segments, the network, tags) go with them.
  const attributes = [
    network.standard_attr_id,
    ...segments.map((s) => s.standard_attr_id),
    ...subnets.map((s) => s.standard_attr_id),
  ];
  await trx.deleteFrom('networks').where('id', '=', id).execute();
  await trx.deleteFrom('standardattributes').where('id', 'in', attributes).execute();
  await tellAgents(trx, id, 'network_delete_end', { network_id: id });
  await tellAgents(trx, id, 'l2.network_delete', { network_id: id });
}

/** The rules of networks. */
export function networkRules(core: Core): ResourceRules {
  const { db } = core;
  const load = async (id: string): Promise<Document> => {
    const document = (await networkDocuments(db.kysely, [id])).get(id);
    if (!document) throw neutronError('NetworkNotFound', { id });
    return document;
  };
  return {
    create: (_context, items) =>
      db.transaction(async (trx) => {
        const ids: string[] = [];
        for (const item of items) ids.push(await createNetwork(trx, core, item as Create));
        return loadInOrder(ids, (chunk) => networkDocuments(trx, chunk));
      }),
    list: async (context, query) => {
      const visible: readonly Condition[] = context.isAdmin ? [] : [visibleNetworks(context)];
      return loadInOrder(await listIds(db.kysely, NETWORK_LIST, query, visible), (ids) =>
        networkDocuments(db.kysely, ids),
      );
    },
    show: async (context, id) => {
      const row = await db.kysely
        .selectFrom('networks')
        .select('id')
        .where('id', '=', id)
        .where(visibleNetworks(context))
        .executeTakeFirst();
      if (!row) throw neutronError('NetworkNotFound', { id });
      return load(id);
    },
    update: (context, id, changes, revision) =>
      db.transaction(async (trx) => {
        const before = (await networkDocuments(trx, [id])).get(id);
        await updateNetwork(trx, core, context, id, changes as Update, revision);
        const after = (await networkDocuments(trx, [id])).get(id);
        if (substance(before) === substance(after)) return after ?? {};
        const row = await trx
          .selectFrom('networks')
          .select('standard_attr_id')
          .where('id', '=', id)
          .executeTakeFirstOrThrow();
        await bumpRevision(trx, row.standard_attr_id);
        const document = (await networkDocuments(trx, [id])).get(id) ?? {};
        await tellAgents(trx, id, 'network_update_end', { network: document });
        await tellAgents(trx, id, 'l2.network_update', { network: document });
        return document;
      }),
    delete: (context, id, revision) => db.transaction((trx) => deleteNetwork(trx, context, id, revision)),
  };
}
