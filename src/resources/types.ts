import { canonicalIp, formatCidr, parseCidr, parseIp } from '../net/addresses.ts';
import { LENIENT_UUID, MAC } from '../net/patterns.ts';
import type { AttributeType, JsonSchema, Stored } from './attribute.ts';
import { invalidAttribute, neutronError, shown } from './errors.ts';

// Control characters, newlines above all, are not allowed in names: they would break lines in files and logs.
// biome-ignore lint/suspicious/noControlCharactersInRegex: the pattern matches control characters on purpose
const CONTROL = /[\u0000-\u001f\u007f]/;

const asText = (text: string): string => text;

/** Returns the column value that stores a value of the type. */
export const stored = <Out>(type: AttributeType<unknown, Out>, value: Out): Stored =>
  type.store ? type.store(value) : (value as Stored);

/** Stores values that are neither text nor numbers as JSON. */
const asJson = <T>(): { store(value: T): string; load(stored: string | number): T } => ({
  store: (value) => JSON.stringify(value),
  load: (text) => JSON.parse(String(text)) as T,
});

/** Returns why a value is not a text of at most `max` characters (Neutron counts characters, not bytes); undefined if it is. */
function textFault(value: unknown, max: number): string | undefined {
  if (typeof value !== 'string') return `'${shown(value)}' is not a valid string`;
  if (value.length > max && [...value].length > max) return `'${shown(value)}' exceeds maximum length of ${max}`;
  if (value.includes('\u0000')) return 'a NUL character is not allowed';
  if (!value.isWellFormed()) return 'the text contains an unpaired surrogate';
  return undefined;
}

/** Like `textFault`, for text that becomes part of a line in a file: control characters are rejected. */
export function lineFault(value: unknown, max: number): string | undefined {
  const fault = textFault(value, max);
  if (fault !== undefined) return fault;
  return CONTROL.test(String(value)) ? `'${shown(value)}' contains control characters` : undefined;
}

const textOf = (max: number, faultOf: typeof textFault): AttributeType<string> => ({
  schema: { type: 'string', maxLength: max },
  parse(value, attribute) {
    const fault = faultOf(value, max);
    if (fault !== undefined) throw invalidAttribute(attribute, fault);
    return value as string;
  },
  filter: asText,
});

/** Text of at most `max` characters. */
export const text = (max: number): AttributeType<string> => textOf(max, textFault);

/** Text that is written to a line of a file: like `text`, without control characters. */
export const line = (max: number): AttributeType<string> => textOf(max, lineFault);

/** Parses true and false as Neutron's converter does; returns undefined for any other value. */
function readBoolean(value: unknown): boolean | undefined {
  if (typeof value === 'boolean') return value;
  if (value === 1 || value === 0) return value === 1;
  if (typeof value === 'string') {
    const lower = value.toLowerCase();
    if (lower === 'true' || lower === '1') return true;
    if (lower === 'false' || lower === '0') return false;
  }
  return undefined;
}

/** true or false; also "True", "false", 1, 0, "1", "0", as Neutron converts them. */
export const boolean: AttributeType<boolean> = {
  schema: { type: 'boolean' },
  parse(value) {
    const parsed = readBoolean(value);
    if (parsed === undefined)
      throw neutronError('InvalidInput', { reason: `'${shown(value)}' cannot be converted to boolean` });
    return parsed;
  },
  filter: (value) => {
    const parsed = readBoolean(value);
    if (parsed === undefined)
      throw neutronError('InvalidInput', { reason: `'${shown(value)}' cannot be converted to boolean` });
    return parsed ? 1 : 0;
  },
  store: Number,
  load: (stored) => stored === 1,
};

/** A whole number; text of digits is converted, as Neutron does. */
export function integer(range: { readonly min?: number; readonly max?: number } = {}): AttributeType<number> {
  const { min = -2147483648, max = 2147483647 } = range;
  return {
    schema: { type: 'integer', minimum: min, maximum: max },
    parse(value, attribute) {
      const parsed =
        typeof value === 'number'
          ? value
          : typeof value === 'string' && /^\s*[+-]?\d+\s*$/.test(value)
            ? Number(value)
            : Number.NaN;
      if (!Number.isInteger(parsed))
        throw neutronError('InvalidInput', { reason: `'${shown(value)}' is not an integer` });
      if (parsed < min) throw invalidAttribute(attribute, `'${parsed}' is too small - must be at least '${min}'`);
      if (parsed > max) throw invalidAttribute(attribute, `'${parsed}' is too large - must be no larger than '${max}'`);
      return parsed;
    },
    filter: (value) => (/^\s*[+-]?\d{1,15}\s*$/.test(value) ? Number(value) : undefined),
    load: Number,
  };
}

/** A UUID, with or without hyphens; not normalized. */
export const uuid: AttributeType<string> = {
  schema: { type: 'string', format: 'uuid' },
  parse(value, attribute) {
    if (typeof value !== 'string' || !LENIENT_UUID.test(value))
      throw invalidAttribute(attribute, `'${shown(value)}' is not a valid UUID`);
    return value;
  },
  filter: asText,
};

/** An IPv4 or IPv6 address in canonical form. */
export const ipAddress: AttributeType<string> = {
  schema: { type: 'string' },
  parse(value, attribute) {
    return parseIpText(value, attribute);
  },
  filter: (value) => canonicalIp(value) ?? value,
};

/** Returns an address in canonical form. Throws Neutron's errors, with a separate one for leading zeros. */
export function parseIpText(value: unknown, attribute: string): string {
  const parsed = typeof value === 'string' ? canonicalIp(value) : undefined;
  if (parsed !== undefined) return parsed;
  if (typeof value === 'string' && /^\d+(\.\d+){3}$/.test(value)) {
    const stripped = value.split('.').map(Number).join('.');
    if (parseIp(stripped))
      throw invalidAttribute(attribute, `'${value}' is not an accepted IP address, '${stripped}' is recommended`);
  }
  throw invalidAttribute(attribute, `'${shown(value)}' is not a valid IP address`);
}

/** `address/length` in canonical form, host bits cleared. */
export const cidr: AttributeType<string> = {
  schema: { type: 'string' },
  parse(value, attribute) {
    const parsed = typeof value === 'string' ? parseCidr(value) : undefined;
    if (!parsed) throw invalidAttribute(attribute, `'${shown(value)}' is not a valid IP subnet`);
    return formatCidr(parsed);
  },
  filter: (value) => {
    const parsed = parseCidr(value);
    return parsed ? formatCidr(parsed) : value;
  },
};

/** A MAC address in lower case with colons. As in Neutron, all zeros is rejected. */
export const macAddress: AttributeType<string> = {
  schema: { type: 'string' },
  parse(value, attribute) {
    if (typeof value !== 'string' || !MAC.test(value.replaceAll('-', ':')) || /^0[0]([:-]00){5}$/.test(value))
      throw invalidAttribute(attribute, `'${shown(value)}' is not a valid MAC address`);
    return value.replaceAll('-', ':').toLowerCase();
  },
  filter: (value) => value.replaceAll('-', ':').toLowerCase(),
};

/** One of the given texts. */
export function oneOf<const T extends string>(values: readonly T[]): AttributeType<T> {
  return {
    schema: { type: 'string', enum: values },
    parse(value, attribute) {
      if (!values.includes(value as T)) throw invalidAttribute(attribute, `${shown(value)} is not in valid_values`);
      return value as T;
    },
    filter: asText,
  };
}

/** One of the given numbers; numeric strings are converted. */
export function oneOfNumbers<const T extends number>(values: readonly T[]): AttributeType<T> {
  const base = integer();
  return {
    schema: { type: 'integer', enum: values },
    parse(value, attribute) {
      const parsed = base.parse(value, attribute);
      if (!values.includes(parsed as T)) throw invalidAttribute(attribute, `${parsed} is not in valid_values`);
      return parsed as T;
    },
    filter: (value) => base.filter?.(value),
  };
}

/** The type, or null. */
export function nullable<T>(type: AttributeType<T>): AttributeType<T | null> {
  return {
    schema: { anyOf: [type.schema, { type: 'null' }] },
    parse: (value, attribute) => (value === null ? null : type.parse(value, attribute)),
    ...(type.filter ? { filter: type.filter } : {}),
    store: (value) => (value === null ? null : stored(type, value)),
    ...(type.load ? { load: type.load } : {}),
  };
}

/** A list of elements of a type; a column stores it as JSON. */
export function listOf<T>(
  element: AttributeType<T>,
  options: { readonly max?: number; readonly unique?: boolean } = {},
): AttributeType<readonly T[]> {
  const { max = 1000, unique = false } = options;
  return {
    schema: { type: 'array', items: element.schema, maxItems: max },
    parse(value, attribute) {
      if (!Array.isArray(value)) throw invalidAttribute(attribute, `'${shown(value)}' is not a list`);
      if (value.length > max) throw invalidAttribute(attribute, `${value.length} items exceed the limit of ${max}`);
      const parsed = value.map((item) => element.parse(item, attribute));
      if (unique) {
        const seen = new Set<T>();
        for (const item of parsed) {
          if (seen.has(item)) throw invalidAttribute(attribute, `Duplicate items in the list: '${shown(item)}'`);
          seen.add(item);
        }
      }
      return parsed;
    },
    ...asJson(),
  };
}

/** A list, with null for an empty one. */
export const emptyIfNull = <T>(type: AttributeType<readonly T[]>): AttributeType<readonly T[]> => ({
  ...type,
  parse: (value, attribute) => (value === null ? [] : type.parse(value, attribute)),
});

// Width of the column that stores them, as in Neutron's tables.
const MAX_HINTS = 255;
const zones = listOf(line(255), { unique: true, max: 32 });

/** Names of availability zones without duplicates; their total length is limited, because one column stores them. */
export const zoneHints: AttributeType<readonly string[]> = {
  schema: zones.schema,
  parse(value, attribute) {
    const hints = zones.parse(value, attribute);
    if (JSON.stringify(hints).length > MAX_HINTS)
      throw invalidAttribute(attribute, `the names together exceed ${MAX_HINTS} characters`);
    return hints;
  },
  ...asJson(),
};

/** A JSON object of at most `maxBytes`, so that it fits its column. */
export function dictionary(maxBytes: number): AttributeType<Readonly<Record<string, unknown>>> {
  return {
    schema: { type: 'object' },
    parse(value, attribute) {
      const given = requireObject(value, attribute);
      if (Buffer.byteLength(JSON.stringify(given)) > maxBytes)
        throw invalidAttribute(attribute, `the value exceeds ${maxBytes} bytes`);
      return given;
    },
    ...asJson(),
  };
}

const rejectUpdate = (_value: unknown, attribute: string): never => {
  throw neutronError('HTTPBadRequest', { reason: `Cannot update read-only attribute ${attribute}` });
};

/** The type of attributes that requests cannot set and responses show as `T`. */
export const readOnly = <T>(
  schema: JsonSchema,
  options: Omit<AttributeType<never, T>, 'schema' | 'parse'> = {},
): AttributeType<never, T> => ({ schema, filter: asText, ...options, parse: rejectUpdate });

/** Like `type`, for attributes that requests cannot set. */
export const shownOnly = <T>(type: AttributeType<unknown, T>): AttributeType<never, T> => ({
  ...type,
  parse: rejectUpdate,
});

/** Requests set it as `input`, responses show it as `output`. */
export const shownAs = <In, Out>(
  input: AttributeType<In, unknown>,
  output: AttributeType<unknown, Out>,
): AttributeType<In, Out> => ({
  ...output,
  schema: input.schema,
  answerSchema: output.schema,
  parse: (value, attribute) => input.parse(value, attribute),
});

/** Returns the value as an object. Throws HTTPBadRequest if it is not one. */
export function requireObject(value: unknown, attribute: string): Readonly<Record<string, unknown>> {
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    throw invalidAttribute(attribute, `'${shown(value)}' is not a dictionary`);
  return value as Readonly<Record<string, unknown>>;
}

/** Returns the value as an object with exactly the given keys. Throws Neutron's error if it is not one. */
export function requireKeys(value: unknown, keys: readonly string[], attribute: string): Record<string, unknown> {
  const quoted = (names: readonly string[]) => names.map((n) => `'${n}'`).join(', ');
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    throw invalidAttribute(
      attribute,
      `Invalid input. '${shown(value)}' must be a dictionary with keys: [${quoted(keys)}]`,
    );
  const given = Object.keys(value);
  if (given.length !== keys.length || !keys.every((k) => given.includes(k)))
    throw invalidAttribute(
      attribute,
      `Validation of dictionary's keys failed. Expected keys: {${quoted(keys)}} Provided keys: {${quoted(given)}}`,
    );
  return value as Record<string, unknown>;
}
