import { LENIENT_UUID } from '../net/patterns.ts';
import type { AttributeType } from './attribute.ts';
import { invalidAttribute, neutronError, shown } from './errors.ts';
import { type FixedIp, fixedIps, type WantedFixedIp } from './port-types.ts';
import { boolean, listOf, nullable, readOnly, requireObject, shownAs, uuid } from './types.ts';

/** A requested external gateway. */
export interface WantedGateway {
  readonly network_id: string;
  readonly enable_snat?: boolean;
  readonly external_fixed_ips?: readonly WantedFixedIp[];
  readonly qos_policy_id?: string | null;
}

/** The external gateway of a router. */
export interface Gateway {
  readonly network_id: string;
  readonly enable_snat: boolean;
  readonly external_fixed_ips: readonly FixedIp[];
  /** Absent if it has none. */
  readonly qos_policy_id?: string;
}

const wantedSchema = {
  type: 'object',
  required: ['network_id'],
  additionalProperties: false,
  properties: {
    network_id: uuid.schema,
    enable_snat: boolean.schema,
    external_fixed_ips: fixedIps.schema,
    qos_policy_id: nullable(uuid).schema,
  },
};

const KEYS = Object.keys(wantedSchema.properties);

/** A requested gateway. Its subnets and addresses are checked by the plugin. */
const wantedGateway: AttributeType<WantedGateway> = {
  schema: wantedSchema,
  parse(value, attribute) {
    const given = requireObject(value, attribute);
    const unknown = Object.keys(given).filter((key) => !KEYS.includes(key));
    if (unknown.length > 0)
      throw invalidAttribute(attribute, `'${shown(unknown.join(', '))}' is none of ${KEYS.join(', ')}`);
    if (given.network_id === undefined) throw invalidAttribute(attribute, "Expected key 'network_id' is missing");
    const { enable_snat: snat, external_fixed_ips: ips, qos_policy_id: qos } = given;
    return {
      network_id: uuid.parse(given.network_id, attribute),
      ...(snat === undefined ? {} : { enable_snat: boolean.parse(snat, attribute) }),
      ...(ips === undefined ? {} : { external_fixed_ips: fixedIps.parse(ips ?? [], attribute) }),
      ...(qos === undefined ? {} : { qos_policy_id: nullable(uuid).parse(qos, attribute) }),
    };
  },
};

const gateway = readOnly<Gateway>({
  ...wantedSchema,
  required: KEYS.filter((key) => key !== 'qos_policy_id'),
  properties: { ...wantedSchema.properties, external_fixed_ips: fixedIps.answerSchema ?? {} },
});

/** `external_gateway_info`: null and {} mean that there is no gateway. */
export const gatewayInfo: AttributeType<WantedGateway | null, Gateway | null> = shownAs(
  {
    schema: nullable(wantedGateway).schema,
    parse: (value, attribute) =>
      value === null || (typeof value === 'object' && Object.keys(value).length === 0)
        ? null
        : wantedGateway.parse(value, attribute),
  },
  readOnly<Gateway | null>({ anyOf: [gateway.schema, { type: 'null' }] }),
);

// Far above what is useful, because each gateway is a port.
const MAX_GATEWAYS = 64;

/** `external_gateways`: all gateways; the first one is the one in `external_gateway_info`. */
export const gatewayList: AttributeType<readonly WantedGateway[], readonly Gateway[]> = shownAs(
  listOf(wantedGateway, { max: MAX_GATEWAYS }),
  readOnly<readonly Gateway[]>({ type: 'array', items: gateway.schema }),
);

/** The body of add_router_interface and remove_router_interface. */
export interface InterfaceInfo {
  readonly port_id?: string;
  readonly subnet_id?: string;
}

const bad = (reason: string) => neutronError('BadRequest', { resource: 'router', reason });

/** A subnet or a port. `both`: the body may name a port and, to be sure, its subnet. */
export const interfaceInfo = (both: boolean): AttributeType<InterfaceInfo> => ({
  schema: { type: 'object', properties: { port_id: uuid.schema, subnet_id: uuid.schema } },
  parse(body) {
    const given = body !== null && typeof body === 'object' ? (body as Readonly<Record<string, unknown>>) : {};
    const idOf = (name: string): string | undefined => {
      if (!Object.hasOwn(given, name)) return undefined;
      const id = given[name];
      if (typeof id !== 'string' || !LENIENT_UUID.test(id)) throw bad(`'${shown(id)}' is not a valid UUID`);
      return id;
    };
    const [port_id, subnet_id] = [idOf('port_id'), idOf('subnet_id')];
    if (port_id === undefined && subnet_id === undefined) throw bad('subnet_id or port_id is needed');
    if (!both && port_id !== undefined && subnet_id !== undefined)
      throw bad('subnet_id and port_id exclude each other');
    return { ...(port_id === undefined ? {} : { port_id }), ...(subnet_id === undefined ? {} : { subnet_id }) };
  },
});

/** A body `{"router": {...}}` of an action; `attribute`: the only attribute of the router that it contains. */
export const routerBody = <T>(attribute: string, type: AttributeType<T>): AttributeType<T> => ({
  schema: {
    type: 'object',
    required: ['router'],
    properties: { router: { type: 'object', required: [attribute], properties: { [attribute]: type.schema } } },
  },
  parse(body) {
    const { router } = requireObject(body, 'body');
    const given = requireObject(router, 'router');
    if (!Object.hasOwn(given, attribute)) throw invalidAttribute('router', `Expected key '${attribute}' is missing`);
    return type.parse(given[attribute], attribute);
  },
});
