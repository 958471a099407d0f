import { resolve } from 'node:path';
import { parseCidr } from '../net/addresses.ts';
import type { OptionKind } from './option.ts';
import { type Config, findOption, type OptionValue } from './options.ts';

/** An invalid configuration. The message names the option, its value, the source of the value and what is expected. */
export class ConfigError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ConfigError';
  }
}

const TRUE = new Set(['true', '1', 'on', 'yes']);
const FALSE = new Set(['false', '0', 'off', 'no']);
const WHOLE_NUMBER = /^[+-]?\d{1,15}$/;
const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d{1,3})?$/i;

/**
 * Converts the text of an option into its value: numbers, booleans (true/1/on/yes, false/0/off/no), lists (split at commas),
 * names of drivers (Neutron's dotted paths become the short names), absolute paths. `where`: source of the text, for the error.
 * Throws ConfigError that names the option, the value and what is expected.
 */
export function parseOption<S extends keyof Config, N extends keyof Config[S] & string>(
  section: S,
  name: N,
  text: string,
  where?: string,
): Config[S][N];
export function parseOption(section: string, name: string, text: string, where?: string): OptionValue;
export function parseOption(section: string, name: string, text: string, where?: string): OptionValue {
  const placed = findOption(section, name);
  if (!placed) throw new ConfigError(`[${section}] ${name}: no such option${where ? ` (${where})` : ''}`);
  const outcome = parseValue(placed.option.type, text);
  if ('value' in outcome) return outcome.value;
  throw new ConfigError(
    `[${placed.section}] ${placed.name} = ${placed.option.secret ? '***' : JSON.stringify(text)}${where ? ` (${where})` : ''}: must be ${outcome.wanted}`,
  );
}

type Outcome = { readonly value: OptionValue } | { readonly wanted: string };

function parseValue(type: OptionKind, raw: string): Outcome {
  const text = raw.trim();
  switch (type.kind) {
    case 'integer':
    case 'float':
      return parseNumber(type, text);
    case 'boolean':
      if (TRUE.has(text.toLowerCase())) return { value: true };
      if (FALSE.has(text.toLowerCase())) return { value: false };
      return { wanted: 'true or false' };
    case 'list':
      return parseList(type, text);
    case 'string':
      return parseString(type, text);
  }
}

function parseNumber(type: Extract<OptionKind, { kind: 'integer' | 'float' }>, text: string): Outcome {
  const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = type;
  const value = Number(text);
  const shape = type.kind === 'integer' ? WHOLE_NUMBER : NUMBER;
  if (shape.test(text) && value >= min && value <= max) return { value };
  const noun = type.kind === 'integer' ? 'a whole number' : 'a number';
  if (type.min !== undefined && type.max !== undefined) return { wanted: `${noun} from ${type.min} to ${type.max}` };
  if (type.min !== undefined) return { wanted: `${noun}, at least ${type.min}` };
  if (type.max !== undefined) return { wanted: `${noun}, at most ${type.max}` };
  return { wanted: noun };
}

function parseList(type: Extract<OptionKind, { kind: 'list' }>, text: string): Outcome {
  const items = text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
  const wrong = items.find((item) => type.pattern && !type.pattern.test(item));
  if (wrong === undefined) return { value: items };
  return {
    wanted: `a list of ${type.hint ?? `items like ${type.pattern}`}, separated by commas, not ${JSON.stringify(wrong)}`,
  };
}

function isIpv4Prefix(text: string): boolean {
  const cidr = parseCidr(text);
  return cidr?.version === 4 && !cidr.hostBits && text.includes('/');
}

function parseString(type: Extract<OptionKind, { kind: 'string' }>, text: string): Outcome {
  const value = type.aliases?.[text] ?? text;
  if (type.choices && !type.choices.includes(value)) {
    return { wanted: [...type.choices, ...Object.keys(type.aliases ?? {})].join(' or ') };
  }
  if (type.pattern && !type.pattern.test(value)) return { wanted: type.hint ?? `like ${type.pattern}` };
  if (type.prefix && !isIpv4Prefix(value)) return { wanted: 'an IPv4 prefix such as 169.254.192.0/18' };
  if (/\p{Cc}/u.test(value)) return { wanted: 'one line without control characters' };
  return { value: type.path && value !== '' ? resolve(value) : value };
}
