import type { Queries } from '../../db/database.ts';
import { uuid5 } from '../../net/uuid5.ts';
import type { QosRuleDocument, QosRuleType } from '../../resources/qos.ts';
import { groupBy } from '../../store/listing.ts';
import { rulesOf } from './policies.ts';

/** Resources that one provider must have (Placement's granular request groups). */
interface RequestGroup {
  readonly id: string;
  readonly required: readonly string[];
  readonly resources: Readonly<Record<string, number>>;
}

/** What a port requires of Placement; the providers of all groups are parts of one device. */
export interface ResourceRequest extends Readonly<Record<string, unknown>> {
  readonly request_groups: readonly RequestGroup[];
  readonly same_subtree: readonly string[];
}

/** A port with the policy that applies to it. */
export interface RequestingPort {
  readonly id: string;
  readonly network: string;
  readonly vnicType: string;
  readonly policy: string;
}

/** Placement's resource classes (os-resource-classes), by the direction of the rule. */
const CLASSES: Readonly<Partial<Record<QosRuleType, Readonly<Record<string, string>>>>> = {
  minimum_bandwidth: { egress: 'NET_BW_EGR_KILOBIT_PER_SEC', ingress: 'NET_BW_IGR_KILOBIT_PER_SEC' },
  minimum_packet_rate: {
    egress: 'NET_PACKET_RATE_EGR_KILOPACKET_PER_SEC',
    ingress: 'NET_PACKET_RATE_IGR_KILOPACKET_PER_SEC',
    any: 'NET_PACKET_RATE_KILOPACKET_PER_SEC',
  },
};

/** Returns the name of a trait of one's own (os-traits): letters, digits and underscores. */
const trait = (name: string): string => `CUSTOM_${name.replace(/[^0-9A-Za-z]+/g, '_').toUpperCase()}`;

/** Returns the group of a port for the rules of a type; undefined if the policy has none. Its id is Neutron's: it derives from the port and the rules. */
function groupOf(
  port: string,
  type: 'minimum_bandwidth' | 'minimum_packet_rate',
  rules: readonly QosRuleDocument[],
  required: readonly string[],
): RequestGroup | undefined {
  const own = rules.filter((rule) => rule.type === type);
  if (own.length === 0) return undefined;
  const amount = ({ min_kbps, min_kpps }: QosRuleDocument) => Number(min_kbps ?? min_kpps);
  return {
    id: uuid5(port, own.map(({ id }) => id).join(':')),
    required,
    resources: Object.fromEntries(own.map((rule) => [CLASSES[type]?.[String(rule.direction)], amount(rule)])),
  };
}

/** Returns what a port requires; null: nothing. Only physical networks guarantee bandwidth. */
function requestOf(
  { id, vnicType }: RequestingPort,
  rules: readonly QosRuleDocument[],
  physicalNetwork: string | null,
): ResourceRequest | null {
  const vnic = trait(`VNIC_TYPE_${vnicType}`);
  const groups = [
    physicalNetwork === null
      ? undefined
      : groupOf(id, 'minimum_bandwidth', rules, [trait(`PHYSNET_${physicalNetwork}`), vnic]),
    groupOf(id, 'minimum_packet_rate', rules, [vnic]),
  ].filter((group) => group !== undefined);
  return groups.length === 0 ? null : { request_groups: groups, same_subtree: groups.map((group) => group.id) };
}

/** Returns what ports require of Placement because of the guarantees of their policies, by port. `known`: rules that were read. */
export async function resourceRequests(
  db: Queries,
  ports: readonly RequestingPort[],
  known?: ReadonlyMap<string, readonly QosRuleDocument[]>,
): Promise<ReadonlyMap<string, ResourceRequest | null>> {
  if (ports.length === 0) return new Map();
  const rules = known ?? (await rulesOf(db, [...new Set(ports.map(({ policy }) => policy))]));
  const guaranteed = ports.filter(({ policy }) => rules.get(policy)?.some(({ type }) => type in CLASSES));
  if (guaranteed.length === 0) return new Map();
  const segments = groupBy(
    await db
      .selectFrom('networksegments')
      .select(['network_id', 'physical_network'])
      .where('network_id', 'in', [...new Set(guaranteed.map(({ network }) => network))])
      .where('is_dynamic', '=', 0)
      .orderBy('segment_index')
      .execute(),
    (row) => row.network_id,
  );
  return new Map(
    guaranteed.map((port) => {
      const [first] = segments.get(port.network) ?? [];
      return [port.id, requestOf(port, rules.get(port.policy) ?? [], first?.physical_network ?? null)];
    }),
  );
}
