import { addressBits, formatCidr, parseCidr, parseIp } from '../net/addresses.ts';
import { OWNER_PREFIXES } from '../net/device-owners.ts';
import type { AttributeType } from './attribute.ts';
import { invalidAttribute, neutronError, shown } from './errors.ts';
import { cidr, line, parseIpText, requireKeys } from './types.ts';

export interface AllocationPool {
  readonly start: string;
  readonly end: string;
}

export interface HostRoute {
  readonly destination: string;
  readonly nexthop: string;
}

// Far above any configured limit, so that absurdly long lists are rejected early.
const MAX_ITEMS = 4096;

function items(value: unknown, attribute: string, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw invalidAttribute(attribute, `Invalid data format for ${what}: '${shown(value)}'`);
  if (value.length > MAX_ITEMS)
    throw invalidAttribute(attribute, `${value.length} items exceed the limit of ${MAX_ITEMS}`);
  return value;
}

/** A subnet's prefix: as `cidr`; as in Neutron, an address without a length is one address, and other text is InvalidInput. */
export const subnetCidr: AttributeType<string> = {
  ...cidr,
  parse(value, attribute) {
    if (typeof value !== 'string') return cidr.parse(value, attribute);
    const ip = parseIp(value);
    const parsed = parseCidr(ip ? `${value}/${addressBits(ip.version)}` : value);
    if (!parsed) throw neutronError('InvalidInput', { reason: `${attribute} '${shown(value)}' is not in CIDR format` });
    return formatCidr(parsed);
  },
};

/** Ranges of addresses; the plugin checks that they fit the subnet. */
export const allocationPools: AttributeType<readonly AllocationPool[]> = {
  schema: {
    type: 'array',
    items: {
      type: 'object',
      required: ['start', 'end'],
      properties: { start: { type: 'string' }, end: { type: 'string' } },
    },
  },
  parse: (value, attribute) =>
    items(value, attribute, 'IP pool').map((item) => {
      const pool = requireKeys(item, ['start', 'end'], attribute);
      return { start: parseIpText(pool.start, attribute), end: parseIpText(pool.end, attribute) };
    }),
};

/** Addresses of DNS servers without duplicates, in order. */
export const nameservers: AttributeType<readonly string[]> = {
  schema: { type: 'array', items: { type: 'string' } },
  parse(value, attribute) {
    if (value === null) return [];
    const seen = new Set<string>();
    return items(value, attribute, 'nameserver').map((item) => {
      let address: string;
      try {
        address = parseIpText(item, attribute);
      } catch (error) {
        const reason = /Reason: (.*)\.$/s.exec((error as Error).message)?.[1] ?? '';
        throw invalidAttribute(attribute, `'${shown(item)}' is not a valid nameserver. ${reason}`);
      }
      if (seen.has(address)) throw invalidAttribute(attribute, `Duplicate nameserver '${address}'`);
      seen.add(address);
      return address;
    });
  },
};

/** Routes for DHCP options 121 and 249, without duplicates. */
export const hostRoutes: AttributeType<readonly HostRoute[]> = {
  schema: {
    type: 'array',
    items: {
      type: 'object',
      required: ['destination', 'nexthop'],
      properties: { destination: { type: 'string' }, nexthop: { type: 'string' } },
    },
  },
  parse(value, attribute) {
    if (value === null) return [];
    const seen = new Set<string>();
    return items(value, attribute, 'hostroute').map((item) => {
      const given = requireKeys(item, ['destination', 'nexthop'], attribute);
      const { destination } = given;
      const prefix = typeof destination === 'string' ? parseCidr(destination) : undefined;
      if (!prefix || typeof destination !== 'string')
        throw invalidAttribute(attribute, `'${shown(destination)}' is not a valid IP subnet`);
      if (prefix.hostBits)
        throw invalidAttribute(attribute, `'${destination}' isn't a recognized IP subnet cidr, its host bits are set`);
      const nexthop = parseIpText(given.nexthop, attribute);
      const route = { destination: formatCidr(prefix), nexthop };
      const key = `${route.destination} ${nexthop}`;
      if (seen.has(key)) throw invalidAttribute(attribute, `Duplicate hostroute '${key}'`);
      seen.add(key);
      return route;
    });
  },
};

const MAX_TYPES = 100;
const owner = line(255);

/** Neutron's check takes the letters of `compute:` one by one, so that it accepts all types that begin with one of them. */
const SERVICE_PREFIXES = [...OWNER_PREFIXES, ...'compute:'];

/** Device owners, or prefixes of them, that a subnet is reserved for, without duplicates. */
export const serviceTypes: AttributeType<readonly string[]> = {
  schema: { type: 'array', items: { type: 'string' }, maxItems: MAX_TYPES },
  parse(value, attribute) {
    if (!Array.isArray(value)) throw neutronError('HTTPBadRequest', { reason: 'Subnet service types must be a list.' });
    if (value.length > MAX_TYPES)
      throw invalidAttribute(attribute, `${value.length} items exceed the limit of ${MAX_TYPES}`);
    const seen = new Set<string>();
    return value.map((item: unknown) => {
      if (typeof item !== 'string') throw neutronError('InvalidInputSubnetServiceType', { type: shown(item) });
      if (!SERVICE_PREFIXES.some((prefix) => item.startsWith(prefix)))
        throw neutronError('InvalidSubnetServiceType', { type: shown(item) });
      const type = owner.parse(item, attribute);
      if (seen.has(type)) throw invalidAttribute(attribute, `Duplicate items in the list: '${shown(type)}'`);
      seen.add(type);
      return type;
    });
  },
};
