import { badRequest } from './errors.ts';

export type Json = Readonly<Record<string, unknown>>;

/** Matches a text without control characters that neither begins nor ends with a blank, which databases compare differently. */
const NAME = /^(?!\s)[^\p{Cc}]+(?<!\s)$/u;
const MAX_TEXT = 4096;

/** Returns a value as an object. Throws IdentityError 400, which names it as `what`. */
export function objectOf(value: unknown, what: string): Json {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json;
  throw badRequest(`${what} must be an object.`);
}

/** Returns a property that is an object. Throws IdentityError 400. */
export const objectIn = (object: Json, name: string): Json => objectOf(object[name], name);

/** Returns a property that is a text; undefined if it is absent, or null where that is allowed. Throws IdentityError 400. */
export function textIn(object: Json, name: string, maxLength: number = MAX_TEXT): string | undefined {
  const value = object[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw badRequest(`${name} must be a string.`);
  if (value.length > maxLength) throw badRequest(`${name} must have at most ${maxLength} characters.`);
  // MariaDB stores none, and a text with one could be cut off there by others that read it.
  if (value.includes('\0')) throw badRequest(`${name} must not contain a null character.`);
  return value;
}

/** Returns a property that is a name. Throws IdentityError 400 unless it is one that can be told from others. */
export function nameIn(object: Json, maxLength: number): string {
  const name = textIn(object, 'name', maxLength);
  if (name === undefined) throw badRequest('name is a required property.');
  if (!NAME.test(name))
    throw badRequest('name must not be empty, begin or end with a blank, or contain control characters.');
  return name;
}

/** Returns a property that is true or false; undefined if it is absent. Throws IdentityError 400. */
export function flagIn(object: Json, name: string): boolean | undefined {
  const value = object[name];
  if (value === undefined || typeof value === 'boolean') return value;
  throw badRequest(`${name} must be true or false.`);
}
