import { sql } from 'kysely';
import { neutronError } from '../../resources/errors.ts';
import { QOS_RULE_TYPE, QOS_RULES, type QosRuleType } from '../../resources/qos.ts';
import type { ResourceModule } from '../module.ts';

/** The types of rules that Linux bridge agents apply, with their parameters: ranges are pairs, choices are lists. */
const SUPPORTED: Readonly<Partial<Record<QosRuleType, readonly Parameter[]>>> = {
  bandwidth_limit: [
    { parameter_name: 'max_kbps', parameter_type: 'range', parameter_values: { start: 0, end: 2147483647 } },
    { parameter_name: 'max_burst_kbps', parameter_type: 'range', parameter_values: { start: 0, end: 2147483647 } },
    { parameter_name: 'direction', parameter_type: 'choices', parameter_values: ['ingress', 'egress'] },
  ],
  dscp_marking: [
    {
      parameter_name: 'dscp_mark',
      parameter_type: 'choices',
      parameter_values: QOS_RULES.dscp_marking.attributes.dscp_mark.type.schema.enum,
    },
  ],
};

interface Parameter {
  readonly parameter_name: string;
  readonly parameter_type: 'range' | 'choices';
  readonly parameter_values: unknown;
}

const isSupported = (type: string): boolean => Object.hasOwn(SUPPORTED, type);
const isTrue = (values: readonly string[]): boolean => values.some((value) => /^(true|1)$/i.test(value));

/** The types of QoS rules; a list contains those that agents support, with `all_rules=true` all. */
export const qosRuleTypeModule: ResourceModule<typeof QOS_RULE_TYPE> = {
  resource: QOS_RULE_TYPE,
  source: sql`from (${sql.join(
    Object.keys(QOS_RULES).map((type) => sql`select ${type} as id`),
    sql` union all `,
  )}) as qos_rule_types`,
  conditions: {
    all_rules: () => sql`1 = 1`,
    all_supported: () => sql`1 = 1`,
  },
  async load(_db, ids, view) {
    const query = view?.query;
    // As in Neutron: that a type exists is no secret.
    if (!query && view?.caller?.isAdmin === false) throw neutronError('NotAuthorized');
    const all = query && isTrue(query.filters.all_rules ?? []);
    return new Map(
      ids.flatMap((type) => {
        if (!Object.hasOwn(QOS_RULES, type) || !(isSupported(type) || all || !query)) return [];
        const supported = SUPPORTED[type as QosRuleType];
        const drivers = supported ? [{ name: 'linuxbridge', supported_parameters: supported }] : [];
        return [[type, query ? { type } : { type, drivers }]];
      }),
    );
  },
};
