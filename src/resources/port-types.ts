import { canonicalIp, parseCidr } from '../net/addresses.ts';
import type { AttributeType } from './attribute.ts';
import { invalidAttribute, neutronError, shown } from './errors.ts';
import { macAddress, parseIpText, uuid } from './types.ts';

/** One requested fixed IP: by subnet, by address, or both. */
export interface WantedFixedIp {
  readonly subnet_id?: string;
  readonly ip_address?: string;
}

/** A fixed IP of a port. */
export interface FixedIp {
  readonly subnet_id: string;
  readonly ip_address: string;
}

/** An address (or prefix) that a port may use in addition to its own, with the MAC address to use with it. */
export interface AddressPair {
  readonly mac_address: string;
  readonly ip_address: string;
}

/** A DHCP option of a port. */
export interface ExtraDhcpOpt {
  readonly opt_name: string;
  readonly opt_value: string;
  readonly ip_version: 4 | 6;
}

/** The DNS name of one of a port's addresses; `fqdn` ends with a dot. */
export interface DnsAssignment {
  readonly ip_address: string;
  readonly hostname: string;
  readonly fqdn: string;
}

export interface WantedAddressPair {
  readonly ip_address: string;
  readonly mac_address?: string;
}

/** A DHCP option to set; a null value removes it. */
export interface WantedDhcpOpt {
  readonly opt_name: string;
  readonly opt_value: string | null;
  readonly ip_version: 4 | 6;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  value !== null && typeof value === 'object' && !Array.isArray(value);

// biome-ignore lint/suspicious/noControlCharactersInRegex: the pattern matches control characters on purpose
const CONTROL = /[\u0000-\u001f\u007f]/;
// Far above any configured limit, so that absurdly long lists are rejected early.
const MAX_ITEMS = 1024;

/** Requested fixed IPs; the plugin checks that they fit the network. */
export const fixedIps: AttributeType<readonly WantedFixedIp[], readonly FixedIp[]> = {
  schema: {
    type: 'array',
    items: { type: 'object', properties: { subnet_id: { type: 'string' }, ip_address: { type: 'string' } } },
  },
  answerSchema: {
    type: 'array',
    items: {
      type: 'object',
      required: ['subnet_id', 'ip_address'],
      properties: { subnet_id: { type: 'string' }, ip_address: { type: 'string' } },
    },
  },
  parse(value, attribute) {
    if (!Array.isArray(value) || value.length > MAX_ITEMS)
      throw invalidAttribute(attribute, `Invalid data format for fixed IP: '${shown(value)}'`);
    const seen = new Set<string>();
    return value.map((item: unknown) => {
      if (!isObject(item)) throw invalidAttribute(attribute, `Invalid data format for fixed IP: '${shown(item)}'`);
      const wanted: { subnet_id?: string; ip_address?: string } = {};
      if (item.ip_address !== undefined) {
        wanted.ip_address = parseIpText(item.ip_address, attribute);
        if (seen.has(wanted.ip_address))
          throw invalidAttribute(attribute, `Duplicate IP address '${wanted.ip_address}'`);
        seen.add(wanted.ip_address);
      }
      if (item.subnet_id !== undefined) wanted.subnet_id = uuid.parse(item.subnet_id, attribute);
      return wanted;
    });
  },
};

/** Addresses (or prefixes) that a port may use in addition to its own, each with a MAC address (default: the port's). */
export const addressPairs: AttributeType<readonly WantedAddressPair[], readonly AddressPair[]> = {
  schema: {
    type: 'array',
    items: {
      type: 'object',
      required: ['ip_address'],
      properties: { ip_address: { type: 'string' }, mac_address: { type: 'string' } },
    },
  },
  parse(value) {
    if (!Array.isArray(value))
      throw neutronError('HTTPBadRequest', { reason: `Allowed address pairs must be a list.` });
    if (value.length > MAX_ITEMS) throw neutronError('AllowedAddressPairExhausted', { quota: MAX_ITEMS });
    const seen = new Set<string>();
    return value.map((item: unknown) => {
      if (!isObject(item))
        throw neutronError('HTTPBadRequest', { reason: `'${shown(item)}' is not an allowed address pair` });
      const unknown = Object.keys(item).filter((k) => k !== 'ip_address' && k !== 'mac_address');
      if (item.ip_address === undefined) throw neutronError('AllowedAddressPairsMissingIP');
      const ip = parsePairAddress(item.ip_address);
      const given = item.mac_address;
      let mac: string | undefined;
      if (given !== undefined && given !== null) {
        try {
          mac = macAddress.parse(given, 'mac_address');
        } catch {
          throw neutronError('HTTPBadRequest', { reason: `'${shown(given)}' is not a valid MAC address` });
        }
      }
      if (unknown.length > 0)
        throw neutronError('HTTPBadRequest', { reason: `Unrecognized attribute(s) '${unknown.join(', ')}'` });
      const key = `${mac ?? ''} ${ip}`;
      if (seen.has(key)) throw neutronError('DuplicateAddressPairInRequest', { mac: mac ?? 'None', ip });
      seen.add(key);
      return mac === undefined ? { ip_address: ip } : { ip_address: ip, mac_address: mac };
    });
  },
};

function parsePairAddress(value: unknown): string {
  if (typeof value === 'string') {
    const ip = canonicalIp(value);
    if (ip !== undefined) return ip;
    if (parseCidr(value)) {
      const [address = '', length = ''] = value.split('/');
      return `${canonicalIp(address)}/${length}`;
    }
    if (value.includes('/')) throw neutronError('HTTPBadRequest', { reason: `'${shown(value)}' is not a valid CIDR` });
  }
  throw neutronError('HTTPBadRequest', { reason: `'${shown(value)}' is not a valid IP address` });
}

/** DHCP options of a port. Control characters are rejected, because the values are written to lines of dnsmasq's files. */
export const dhcpOpts: AttributeType<readonly WantedDhcpOpt[], readonly ExtraDhcpOpt[]> = {
  schema: {
    type: 'array',
    items: {
      type: 'object',
      required: ['opt_name', 'opt_value'],
      properties: {
        opt_name: { type: 'string' },
        opt_value: { type: ['string', 'null'] },
        ip_version: { type: 'integer' },
      },
    },
  },
  answerSchema: {
    type: 'array',
    items: {
      type: 'object',
      required: ['opt_name', 'opt_value', 'ip_version'],
      properties: {
        opt_name: { type: 'string' },
        opt_value: { type: 'string' },
        ip_version: { type: 'integer', enum: [4, 6] },
      },
    },
  },
  parse(value) {
    if (!Array.isArray(value)) throw neutronError('InvalidInput', { reason: `'${shown(value)}' is not a list` });
    if (value.length > MAX_ITEMS)
      throw neutronError('InvalidInput', { reason: `${value.length} options exceed the limit of ${MAX_ITEMS}` });
    const seen = new Set<string>();
    return value.map((item: unknown) => {
      const opt = parseDhcpOpt(item);
      const key = `${opt.ip_version} ${opt.opt_name}`;
      if (seen.has(key))
        throw neutronError('InvalidInput', {
          reason: `option '${opt.opt_name}' for IPv${opt.ip_version} occurs twice`,
        });
      seen.add(key);
      return opt;
    });
  },
};

function parseDhcpOpt(item: unknown): WantedDhcpOpt {
  const refuse = () => neutronError('InvalidInput', { reason: `No valid key specs matched for: ${shown(item)}` });
  if (!isObject(item)) throw refuse();
  const { opt_name: name, opt_value: value, ip_version: version = 4, ...rest } = item;
  if (Object.keys(rest).length > 0) throw refuse();
  if (typeof name !== 'string' || name.trim() === '' || name.length > 64 || CONTROL.test(name)) throw refuse();
  if (value !== null && (typeof value !== 'string' || value.length > 255 || CONTROL.test(value))) throw refuse();
  const ipVersion = Number(version);
  if (ipVersion !== 4 && ipVersion !== 6) throw refuse();
  return { opt_name: name, opt_value: value, ip_version: ipVersion };
}
