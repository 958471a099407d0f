import { randomUUID } from 'node:crypto';
import type { Trx } from '../../db/database.ts';
import type { CreateOf } from '../../resources/attribute.ts';
import { neutronError } from '../../resources/errors.ts';
import type { NETWORK } from '../../resources/network.ts';
import { DHCP_AGENTS } from '../../scheduler/agent-kinds.ts';
import type { Core } from '../core.ts';
import { insertStandardAttributes, nowText } from '../standard-attributes.ts';
import { refuseQos, setDnsDomain, setExternal, setShared } from './facets.ts';
import { mtuInForce } from './mtu.ts';
import { wantedSegments } from './provider.ts';
import { allocateSegment, type Segment } from './segments.ts';

export type NetworkCreate = CreateOf<typeof NETWORK>;

async function requireZones(trx: Trx, zones: readonly string[]): Promise<void> {
  for (const zone of zones) {
    const known = await trx
      .selectFrom('agents')
      .select('id')
      .where('availability_zone', '=', zone)
      .where('agent_type', '=', DHCP_AGENTS.type)
      .limit(1)
      .executeTakeFirst();
    if (!known) throw neutronError('AvailabilityZoneNotFound', { zone });
  }
}

async function insertSegment(trx: Trx, networkId: string, segment: Segment, index: number, now: string): Promise<void> {
  const attr = await insertStandardAttributes(trx, {
    resource_type: 'networksegments',
    description: '',
    revision_number: 0,
    now,
  });
  await trx
    .insertInto('networksegments')
    .values({
      id: randomUUID(),
      network_id: networkId,
      name: null,
      ...segment,
      segment_index: index,
      is_dynamic: 0,
      standard_attr_id: attr,
    })
    .execute();
}

/** Makes a network in the caller's transaction; gives its id. Throws NeutronError for whatever is wrong with the values. */
export async function createNetwork(trx: Trx, core: Core, values: NetworkCreate): Promise<string> {
  refuseQos(values.qos_policy_id);
  await requireZones(trx, values.availability_zone_hints);
  const wanted = wantedSegments(values);
  const segments: Segment[] = [];
  for (const one of wanted.length > 0 ? wanted : [undefined])
    segments.push(await allocateSegment(trx, core.config, one));
  const mtu = mtuInForce(core.config, values.mtu, segments);
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
  for (const [index, segment] of segments.entries()) await insertSegment(trx, id, segment, index, now);
  await trx
    .insertInto('networksecuritybindings')
    .values({ network_id: id, port_security_enabled: values.port_security_enabled ? 1 : 0 })
    .execute();
  if (values.dns_domain !== '') await setDnsDomain(trx, id, values.dns_domain);
  if (values.shared) await setShared(trx, id, project, true);
  if (values['router:external']) await setExternal(trx, id, true, values.is_default);
  return id;
}
