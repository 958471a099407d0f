import { canonicalIp, parseCidr } from './addresses.ts';
import type { AttributeType } from './attribute.ts';
import { invalidAttribute, shown } from './errors.ts';
import { parseIpText, requireKeys } from './types.ts';

export interface AllocationPool {
  readonly start: string;
  readonly end: string;
}

export interface HostRoute {
  readonly destination: string;
  readonly nexthop: string;
}

// Far above any configured limit, so that an absurd list is refused before work is put into it.
const MAX_ITEMS = 4096;

function items(value: unknown, attribute: string, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw invalidAttribute(attribute, `Invalid data format for ${what}: '${shown(value)}'`);
  if (value.length > MAX_ITEMS) throw invalidAttribute(attribute, `${value.length} items are more than the ${MAX_ITEMS} allowed`);
  return value;
}

/** Ranges of addresses; that they fit the subnet is a rule of the plugin. */
export const allocationPools: AttributeType<readonly AllocationPool[]> = {
  schema: { type: 'array', items: { type: 'object', required: ['start', 'end'], properties: { start: { type: 'string' }, end: { type: 'string' } } } },
  parse: (value, attribute) =>
    items(value, attribute, 'IP pool').map((item) => {
      const pool = requireKeys(item, ['start', 'end'], attribute);
      return { start: parseIpText(pool['start'], attribute), end: parseIpText(pool['end'], attribute) };
    }),
};

/** DNS servers' addresses, each once, kept in order. */
export const nameservers: AttributeType<readonly string[]> = {
  schema: { type: 'array', items: { type: 'string' } },
  parse(value, attribute) {
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

/** Routes for DHCP options 121 and 249, each once. */
export const hostRoutes: AttributeType<readonly HostRoute[]> = {
  schema: { type: 'array', items: { type: 'object', required: ['destination', 'nexthop'], properties: { destination: { type: 'string' }, nexthop: { type: 'string' } } } },
  parse(value, attribute) {
    const seen = new Set<string>();
    return items(value, attribute, 'hostroute').map((item) => {
      const route = requireKeys(item, ['destination', 'nexthop'], attribute);
      const { destination } = route;
      const prefix = typeof destination === 'string' ? parseCidr(destination) : undefined;
      if (!prefix || typeof destination !== 'string') throw invalidAttribute(attribute, `'${shown(destination)}' is not a valid IP subnet`);
      if (prefix.hostBits) throw invalidAttribute(attribute, `'${destination}' isn't a recognized IP subnet cidr, its host bits are set`);
      const nexthop = parseIpText(route['nexthop'], attribute);
      const key = `${destination} ${nexthop}`;
      if (seen.has(key)) throw invalidAttribute(attribute, `Duplicate hostroute '${key}'`);
      seen.add(key);
      const [address = '', length = ''] = destination.split('/');
      return { destination: `${canonicalIp(address)}/${length}`, nexthop };
    });
  },
};
