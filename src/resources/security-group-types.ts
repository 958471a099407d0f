import { canonicalIp, parseCidr } from '../net/addresses.ts';
import { IP_PROTOCOLS, protocolNumber } from '../net/protocols.ts';
import type { AttributeType } from './attribute.ts';
import { neutronError, shown } from './errors.ts';
import { line, nullable } from './types.ts';

export const ETHERTYPES = ['IPv4', 'IPv6'] as const;
export type Ethertype = (typeof ETHERTYPES)[number];

/** Stands in default rules for the security group that they are copied into. */
export const PARENT = 'PARENT';

const nameText = line(255);

/** The name of a security group. `default`, in any case, belongs to the groups that Neutrino creates. */
export const groupName: AttributeType<string> = {
  ...nameText,
  parse(value, attribute) {
    const name = nameText.parse(value, attribute);
    if (name.toLowerCase() === 'default') throw neutronError('SecurityGroupDefaultAlreadyExists');
    return name;
  },
};

/** Returns a protocol as stored: its name in lower case, or its number in decimal; undefined if there is no such protocol. */
function readProtocol(value: unknown): string | undefined {
  const text = typeof value === 'number' ? String(value) : value;
  if (typeof text !== 'string') return undefined;
  const known = text.trim().toLowerCase();
  if (protocolNumber(known) === undefined) return undefined;
  return /^\d/.test(known) ? String(Number(known)) : known;
}

const PROTOCOL_VALUES = `[None, ${Object.keys(IP_PROTOCOLS)
  .map((name) => `'${name}'`)
  .join(', ')}]`;

/** The name or number of an IP protocol; null: all. */
export const protocol: AttributeType<string | null> = {
  schema: { type: ['string', 'integer', 'null'] },
  answerSchema: { type: ['string', 'null'] },
  parse(value) {
    if (value === null) return null;
    const read = readProtocol(value);
    if (read === undefined)
      throw neutronError('SecurityGroupRuleInvalidProtocol', { protocol: shown(value), values: PROTOCOL_VALUES });
    return read;
  },
  filter: (text) => readProtocol(text) ?? text,
};

/** A port, or the type or code of ICMP messages; null: all. */
export const portNumber: AttributeType<number | null> = {
  schema: { type: ['integer', 'null'], minimum: 0, maximum: 65535 },
  parse(value) {
    if (value === null) return null;
    const port =
      typeof value === 'number' ? value : typeof value === 'string' && /^\d{1,5}$/.test(value) ? Number(value) : -1;
    if (!Number.isInteger(port) || port < 0 || port > 65535)
      throw neutronError('SecurityGroupInvalidPortValue', { port: shown(value) });
    return port;
  },
  filter: (text) => (/^\d{1,5}$/.test(text) ? Number(text) : undefined),
  load: Number,
};

const readEthertype = (value: unknown): Ethertype | undefined =>
  typeof value === 'string' ? ETHERTYPES.find((name) => name.toLowerCase() === value.toLowerCase()) : undefined;

/** IPv4 or IPv6, in any case. */
export const ethertype: AttributeType<Ethertype> = {
  schema: { type: 'string', enum: ETHERTYPES },
  parse(value) {
    const read = readEthertype(value);
    if (read === undefined)
      throw neutronError('SecurityGroupRuleInvalidEtherType', {
        ethertype: shown(value),
        values: `['${ETHERTYPES.join("', '")}']`,
      });
    return read;
  },
  filter: (text) => readEthertype(text) ?? text,
};

/** Returns an address or a prefix as `address/length`, host bits kept; undefined for anything else. */
export function readPrefix(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  const address = canonicalIp(value);
  if (address !== undefined) return `${address}/${address.includes(':') ? 128 : 32}`;
  const cidr = parseCidr(value);
  return cidr && `${canonicalIp(value.slice(0, value.indexOf('/')))}/${cidr.prefixLength}`;
}

/** An address or a prefix; null: all. */
export const remotePrefix: AttributeType<string | null> = {
  schema: { type: ['string', 'null'] },
  parse(value) {
    if (value === null || value === '') return null;
    const read = readPrefix(value);
    if (read === undefined) throw neutronError('InvalidCIDR', { input: shown(value) });
    return read;
  },
  filter: (text) => readPrefix(text) ?? text,
};

const idText = nullable(line(36));

/** The id of a resource, which the rules look up; null or empty: none. */
export const reference: AttributeType<string | null> = {
  ...idText,
  parse: (value, attribute) => idText.parse(value, attribute) || null,
};
