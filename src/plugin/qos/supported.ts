import { sql } from 'kysely';
import type { Trx } from '../../db/database.ts';
import { neutronError } from '../../resources/errors.ts';
import type { QosRuleDocument, QosRuleType } from '../../resources/qos.ts';
import type { Core } from '../core.ts';
import { type RuleTarget, supportsRule } from './drivers.ts';
import { rulesOfPolicy } from './policies.ts';

type PortTarget = Required<RuleTarget> & { readonly id: string };
type Rules = readonly Pick<QosRuleDocument, 'type'>[];

const unsupported = ({ config }: Core, rules: Rules, target: RuleTarget): QosRuleType | undefined =>
  rules.find(({ type }) => !supportsRule(config, type, target))?.type;

/** Throws QosRuleNotSupported if a port cannot have one of the rules. */
export function requireRulesOnPort(core: Core, rules: Rules, port: PortTarget): void {
  const type = unsupported(core, rules, port);
  if (type) throw neutronError('QosRuleNotSupported', { type, port: port.id });
}

interface PortRow {
  readonly id: string;
  readonly vif_type: string;
  readonly vnic_type: string;
  readonly physical_network: string | null;
}

const physicalNetwork = sql`(select s.physical_network from networksegments s
  where s.network_id = p.network_id and s.is_dynamic = 0 order by s.segment_index limit 1)`;

/** Returns a port of each sort that has a policy, its own or that of its network, which those of the network itself do not take over. */
async function portsWith(trx: Trx, policy: string): Promise<readonly PortTarget[]> {
  const { rows } = await sql<PortRow>`
    select min(t.id) as id, t.vif_type, t.vnic_type, t.physical_network from (
      select p.id, b.vif_type, b.vnic_type, ${physicalNetwork} as physical_network
      from ports p inner join ml2_port_bindings b on b.port_id = p.id and b.status = 'ACTIVE'
        left join qos_port_policy_bindings own on own.port_id = p.id
        left join qos_network_policy_bindings n on n.network_id = p.network_id
      where own.policy_id = ${policy}
        or (own.policy_id is null and n.policy_id = ${policy} and p.device_owner not like 'network:%')
    ) t group by t.vif_type, t.vnic_type, t.physical_network`.execute(trx);
  return rows.map(({ id, vif_type: vifType, vnic_type: vnicType, physical_network }) => ({
    id,
    physicalNetwork: physical_network,
    port: { vifType, vnicType },
  }));
}

/** Throws QosRuleNotSupported if a port that has a policy cannot have one of its rules. `known`: the rules, if they were read. */
export async function requirePolicyOnItsPorts(trx: Trx, core: Core, policy: string, known?: Rules): Promise<void> {
  const ports = await portsWith(trx, policy);
  if (ports.length === 0) return;
  const rules = known ?? (await rulesOfPolicy(trx, policy));
  for (const port of ports) requireRulesOnPort(core, rules, port);
}

/** Throws QosRuleNotSupportedByNetwork, and QosRuleNotSupported for its ports, if a network cannot have the policy that it has now. */
export async function requirePolicyOnNetwork(trx: Trx, core: Core, policy: string, network: string): Promise<void> {
  const segment = await trx
    .selectFrom('networksegments')
    .select('physical_network')
    .where('network_id', '=', network)
    .where('is_dynamic', '=', 0)
    .orderBy('segment_index')
    .limit(1)
    .executeTakeFirst();
  const target = { physicalNetwork: segment?.physical_network ?? null };
  const rules = await rulesOfPolicy(trx, policy);
  const type = unsupported(core, rules, target);
  if (type) throw neutronError('QosRuleNotSupportedByNetwork', { type, network });
  await requirePolicyOnItsPorts(trx, core, policy, rules);
}
