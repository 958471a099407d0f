import { sql } from 'kysely';
import { neutronError } from '../../resources/errors.ts';
import { QOS_RULE_TYPE, QOS_RULES, type QosRuleType } from '../../resources/qos.ts';
import type { Core } from '../core.ts';
import type { ResourceModule } from '../module.ts';
import { qosDrivers } from './drivers.ts';

const isTrue = (values: readonly string[]): boolean => values.some((value) => /^(true|1)$/i.test(value));

/** The types of QoS rules; a list contains those that all drivers support, with `all_supported=true` any, with `all_rules=true` all. */
export const qosRuleTypeModule = ({ config }: Core): ResourceModule<typeof QOS_RULE_TYPE> => ({
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
    const drivers = qosDrivers(config);
    const asked = (filter: string): boolean => isTrue(query?.filters[filter] ?? []);
    const supports = (type: string) => (driver: (typeof drivers)[number]) => type in driver.rules;
    const isListed = (type: string): boolean =>
      asked('all_rules') ||
      (asked('all_supported') ? drivers.some(supports(type)) : drivers.length > 0 && drivers.every(supports(type)));
    return new Map(
      ids.flatMap((type) => {
        if (!Object.hasOwn(QOS_RULES, type) || (query && !isListed(type))) return [];
        const detailed = drivers.flatMap(({ name, rules }) => {
          const supported = rules[type as QosRuleType];
          return supported ? [{ name, supported_parameters: supported }] : [];
        });
        return [[type, query ? { type } : { type, drivers: detailed }]];
      }),
    );
  },
});
