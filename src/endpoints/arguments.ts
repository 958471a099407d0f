import { neutronError, shown } from '../resources/errors.ts';

/**
 * Validation of the arguments of RPC requests, because the types of the contract do not bind remote agents. Unknown arguments are
 * ignored (newer agents send more). All functions throw InvalidInput that names the argument.
 */
type Arguments = object;

const MAX_TEXT = 255;
// biome-ignore lint/suspicious/noControlCharactersInRegex: the pattern matches control characters on purpose
const CONTROL = /[\u0000-\u001f\u007f]/;

const wrong = (name: string, value: unknown, right: string) =>
  neutronError('InvalidInput', { reason: `argument ${name} is '${shown(value)}', which is not ${right}` });

const argumentOf = (args: Arguments, name: string): unknown =>
  Object.hasOwn(args, name) ? (args as Record<string, unknown>)[name] : undefined;

const isText = (value: unknown): value is string =>
  typeof value === 'string' && value !== '' && value.length <= MAX_TEXT && !CONTROL.test(value);

/** Returns a short text without control characters, such as a host name or an id. */
export function textArgument(args: Arguments, name: string): string {
  const value = argumentOf(args, name);
  if (!isText(value)) throw wrong(name, value, `a text of 1 to ${MAX_TEXT} characters`);
  return value;
}

/** Returns a text of at most `max` characters, of one line or several. The error does not show it. */
export function secretArgument(args: Arguments, name: string, max: number): string {
  const value = argumentOf(args, name);
  const fits = typeof value === 'string' && value !== '' && value.length <= max;
  if (!fits || value.includes('\u0000') || !value.isWellFormed())
    throw neutronError('InvalidInput', { reason: `argument ${name} is not a text of 1 to ${max} characters` });
  return value;
}

/** Returns the id of a project; empty: that of resources without a project. */
export const projectArgument = (args: Arguments, name: string): string =>
  argumentOf(args, name) === '' ? '' : textArgument(args, name);

/** Returns a list of short texts such as ids, with at most `max` elements. */
export function textsArgument(args: Arguments, name: string, max: number): readonly string[] {
  const value = argumentOf(args, name);
  if (!Array.isArray(value) || !value.every(isText)) throw wrong(name, value, 'a list of texts');
  if (value.length > max) throw wrong(name, `${value.length} elements`, `a list of at most ${max}`);
  return value;
}

/** Returns a boolean; `absent` if the argument is missing. */
export function flagArgument(args: Arguments, name: string, absent: boolean): boolean {
  const value = argumentOf(args, name);
  if (value === undefined || value === null) return absent;
  if (typeof value !== 'boolean') throw wrong(name, value, 'true or false');
  return value;
}

/** Returns an integer from 1 to `max`; undefined if the argument is missing. */
export function countArgument(args: Arguments, name: string, max: number): number | undefined {
  const value = argumentOf(args, name);
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1 || value > max)
    throw wrong(name, value, `a whole number from 1 to ${max}`);
  return value;
}

/** Returns a dictionary. */
export function dictionaryArgument(args: Arguments, name: string): Readonly<Record<string, unknown>> {
  const value = argumentOf(args, name);
  if (value === null || typeof value !== 'object' || Array.isArray(value)) throw wrong(name, value, 'a dictionary');
  return value as Record<string, unknown>;
}
