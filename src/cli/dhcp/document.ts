import type { JsonSchema, Resource } from '../../resources/attribute.ts';
import { NETWORK } from '../../resources/network.ts';
import { PORT } from '../../resources/port.ts';
import { SUBNET } from '../../resources/subnet.ts';
import type { NetworkInfo } from '../../rpc/documents.ts';

type Document = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Document =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Attributes that the DHCP agent reads: required ones, and the others with their defaults. */
interface Reading {
  readonly resource: Resource;
  readonly required: readonly string[];
  readonly defaults: Document;
}

const READ_SUBNET: Reading = {
  resource: SUBNET,
  required: ['id', 'cidr', 'ip_version', 'enable_dhcp'],
  defaults: {
    gateway_ip: null,
    dns_nameservers: [],
    host_routes: [],
    ipv6_ra_mode: null,
    ipv6_address_mode: null,
    segment_id: null,
  },
};
const READ_PORT: Reading = {
  resource: PORT,
  required: ['id', 'mac_address', 'fixed_ips'],
  defaults: { device_owner: '', status: '', dns_assignment: [], extra_dhcp_opts: [] },
};
const READ_NETWORK: Reading = { resource: NETWORK, required: ['id'], defaults: { mtu: 0 } };

const MAX_FAULTS = 5;

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return Number.isInteger(value) ? 'integer' : typeof value;
}

/** Returns how a value deviates from a declared schema; empty if it does not. The renderer checks formats and lengths. */
function faultsOf(schema: JsonSchema, value: unknown, path: string): readonly string[] {
  const { type, anyOf, enum: allowed, minimum, required = [], properties = {}, items } = schema;
  if (Array.isArray(anyOf)) {
    const all = anyOf.map((one: JsonSchema) => faultsOf(one, value, path));
    return all.some((faults) => faults.length === 0) ? [] : (all[0] ?? []);
  }
  const types = [type].flat();
  if (type !== undefined && !types.includes(typeOf(value))) return [`${path} must be ${types.join(' or ')}`];
  if (Array.isArray(allowed) && !allowed.includes(value))
    return [`${path} must be equal to one of the allowed values: ${allowed.join(', ')}`];
  if (typeof minimum === 'number' && typeof value === 'number' && value < minimum)
    return [`${path} must be >= ${minimum}`];
  if (Array.isArray(value) && items)
    return value.flatMap((one, index) => faultsOf(items as JsonSchema, one, `${path}.${index}`));
  if (!isObject(value)) return [];
  return [
    ...missing(value, required as readonly string[], path),
    ...Object.entries(properties as Readonly<Record<string, JsonSchema>>).flatMap(([name, one]) =>
      value[name] === undefined ? [] : faultsOf(one, value[name], `${path}.${name}`),
    ),
  ];
}

const missing = (value: Document, names: readonly string[], path: string): readonly string[] =>
  names.filter((name) => value[name] === undefined).map((name) => `${path} must have required property '${name}'`);

/** Checks the attributes that are read against the declaration of the resource, and adds defaults. */
function read(value: unknown, { resource, required, defaults }: Reading, path: string, faults: string[]): Document {
  if (!isObject(value)) {
    faults.push(`${path} must be object`);
    return {};
  }
  faults.push(...missing(value, required, path));
  for (const name of [...required, ...Object.keys(defaults)]) {
    const type = resource.attributes[name]?.type;
    if (!type || value[name] === undefined || value[name] === defaults[name]) continue;
    const at = path === 'the document' ? name : `${path}.${name}`;
    faults.push(...faultsOf(type.answerSchema ?? type.schema, value[name], at));
  }
  return { ...defaults, ...value };
}

function readList(value: unknown, reading: Reading, path: string, faults: string[]): readonly Document[] {
  if (Array.isArray(value)) return value.map((one, index) => read(one, reading, `${path}.${index}`, faults));
  faults.push(`${path} must be array`);
  return [];
}

/** Returns whether the check of a document found no faults. */
const agrees = (_document: Document, faults: readonly string[]): _document is Document & NetworkInfo =>
  faults.length === 0;

/** Parses the text of a document. Throws Error. */
export function parseNetwork(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`not JSON: ${error instanceof Error ? error.message : error}`);
  }
}

/**
 * Reads a network as returned by `get_network_info`, or an object that contains one as `network`. Throws Error that names what
 * deviates from the declarations of network, subnet and port.
 */
export function readNetwork(document: unknown): NetworkInfo {
  const value = isObject(document) && isObject(document.network) ? document.network : document;
  const faults: string[] = [];
  const network = read(value, READ_NETWORK, 'the document', faults);
  const given = isObject(value) ? value : {};
  if (isObject(value)) faults.push(...missing(value, ['subnets', 'ports'], 'the document'));
  const lists = {
    subnets: readList(given.subnets ?? [], READ_SUBNET, 'subnets', faults),
    non_local_subnets: readList(given.non_local_subnets ?? [], READ_SUBNET, 'non_local_subnets', faults),
    ports: readList(given.ports ?? [], READ_PORT, 'ports', faults),
  };
  const made = { ...network, ...lists };
  if (agrees(made, faults)) return made;
  const named = faults.slice(0, MAX_FAULTS).join('; ');
  throw new Error(`not a network as returned by get_network_info: ${named}`);
}
