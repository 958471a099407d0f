import type { Config } from '../../config/options.ts';
import { QOS_RULES, type QosRuleType } from '../../resources/qos.ts';

/** A parameter of a rule that a driver supports: a range, or one of a list. */
interface Parameter {
  readonly parameter_name: string;
  readonly parameter_type: 'range' | 'choices';
  readonly parameter_values: unknown;
}

/** What the agents of a mechanism driver support. */
interface QosDriver {
  readonly name: string;
  readonly vifTypes: readonly string[];
  readonly vnicTypes: readonly string[];
  readonly rules: Readonly<Partial<Record<QosRuleType, readonly Parameter[]>>>;
}

const range = (parameter_name: string): Parameter => ({
  parameter_name,
  parameter_type: 'range',
  parameter_values: { start: 0, end: 2147483647 },
});
const choices = (parameter_name: string, parameter_values: unknown): Parameter => ({
  parameter_name,
  parameter_type: 'choices',
  parameter_values,
});
const BOTH_WAYS = choices('direction', ['ingress', 'egress']);

const SHAPING = {
  bandwidth_limit: [range('max_kbps'), range('max_burst_kbps'), BOTH_WAYS],
  dscp_marking: [choices('dscp_mark', QOS_RULES.dscp_marking.attributes.dscp_mark.type.schema.enum)],
} as const;

const LINUX_BRIDGE: QosDriver = {
  name: 'linuxbridge',
  vifTypes: ['bridge', 'tap'],
  vnicTypes: ['normal'],
  rules: SHAPING,
};
const OPEN_VSWITCH: QosDriver = {
  name: 'openvswitch',
  vifTypes: ['ovs', 'vhostuser'],
  vnicTypes: ['normal', 'direct'],
  rules: {
    ...SHAPING,
    packet_rate_limit: [range('max_kpps'), range('max_burst_kpps'), BOTH_WAYS],
    minimum_bandwidth: [range('min_kbps'), BOTH_WAYS],
    minimum_packet_rate: [range('min_kpps'), choices('direction', ['ingress', 'egress', 'any'])],
  },
};

/** Returns the configured drivers that apply QoS rules. */
export const qosDrivers = ({ ml2 }: Pick<Config, 'ml2'>): readonly QosDriver[] =>
  [LINUX_BRIDGE, OPEN_VSWITCH].filter(({ name }) => ml2.mechanism_drivers.includes(name));

/** A port, or a network, to which rules are to apply. */
export interface RuleTarget {
  /** Physical network of its first segment; null: none. */
  readonly physicalNetwork: string | null;
  /** How a port is attached; absent: a network. */
  readonly port?: { readonly vifType: string; readonly vnicType: string };
}

/** Ports with these are not attached yet: every driver that may attach them counts. */
const UNATTACHED: readonly string[] = ['unbound', 'binding_failed'];

const attaches = ({ vifTypes, vnicTypes }: QosDriver, { port }: RuleTarget): boolean =>
  port === undefined ||
  (UNATTACHED.includes(port.vifType) ? vnicTypes.includes(port.vnicType) : vifTypes.includes(port.vifType));

/** Returns whether one of the configured drivers applies rules of a type to a target. Only physical networks guarantee bandwidth. */
export const supportsRule = (config: Pick<Config, 'ml2'>, type: QosRuleType, target: RuleTarget): boolean =>
  (type !== 'minimum_bandwidth' || target.physicalNetwork !== null) &&
  qosDrivers(config).some((driver) => type in driver.rules && attaches(driver, target));
