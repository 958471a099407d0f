import { randomUUID } from 'node:crypto';
import type { Trx } from '../../db/database.ts';
import type { CreateOf } from '../../resources/attribute.ts';
import { NETWORK } from '../../resources/network.ts';
import { DHCP_AGENTS } from '../../scheduler/agent-kinds.ts';
import { requireZones } from '../../scheduler/zones.ts';
import { insertPlain, plainOf } from '../../store/rows.ts';
import { newStandard } from '../../store/standard-attributes.ts';
import type { Core } from '../core.ts';
import { inserted } from '../module.ts';
import { defaultQosPolicy } from '../qos/policies.ts';
import { requirePolicyOnNetwork } from '../qos/supported.ts';
import { type NetworkDocument, networkDocuments } from './documents.ts';
import { setExternal, setShared } from './facets.ts';
import { mtuInForce } from './mtu.ts';
import { requestedSegments } from './provider.ts';
import { insertSegment } from './segment-rows.ts';
import { allocateSegment, type Segment } from './segments.ts';

export type NetworkCreate = CreateOf<typeof NETWORK>;

/** Creates a network in the caller's transaction. Throws NeutronError for invalid values. */
export async function createNetwork(trx: Trx, core: Core, values: NetworkCreate): Promise<NetworkDocument> {
  await requireZones(trx, DHCP_AGENTS, values.availability_zone_hints);
  const wanted = requestedSegments(values);
  const segments: Segment[] = [];
  for (const one of wanted.length > 0 ? wanted : [undefined])
    segments.push(await allocateSegment(trx, core.config, one));
  const id = randomUUID();
  const policy = values.qos_policy_id ?? (await defaultQosPolicy(trx, values.project_id)) ?? null;
  await insertPlain(trx, NETWORK, {
    ...plainOf(NETWORK, values),
    id,
    status: 'ACTIVE',
    qos_policy_id: policy,
    mtu: mtuInForce(core.config, values.mtu, segments),
    // As in Neutron, the creation of a network increments the revision once more than the row itself.
    ...newStandard(1),
  });
  for (const [index, segment] of segments.entries()) await insertSegment(trx, { ...segment, networkId: id, index });
  if (policy !== null) await requirePolicyOnNetwork(trx, core, policy, id);
  if (values.shared) await setShared(trx, id, values.project_id, true);
  if (values['router:external'])
    await setExternal(
      trx,
      core,
      { id, project_id: values.project_id },
      { external: true, isDefault: values.is_default },
    );
  return inserted((await networkDocuments(trx, [id])).get(id), 'network', id);
}
