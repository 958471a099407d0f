/**
 * Errors that the API returns. The catalogue (src/resources/errors/, one file per room) has Neutron's type, its HTTP status, the message
 * template, and when it occurs. Rules throw them with `neutronError(type, values)`; `api/` turns them into bodies; docs/errors.md is
 * generated from the catalogue.
 */

import { ERRORS } from './errors/catalogue.ts';

export { ERRORS };

type Values = Readonly<Record<string, string | number>>;

export type ErrorType = keyof typeof ERRORS;

/** Names of the values in a template. */
type Placeholders<T extends string> = T extends `${string}{${infer Name}}${infer Rest}`
  ? Name | Placeholders<Rest>
  : never;

/** The values that the message of an error needs. */
type ValuesOf<T extends ErrorType> = { readonly [K in Placeholders<(typeof ERRORS)[T]['template']>]: string | number };

/** An error whose type, status and message the API returns. */
export class NeutronError extends Error {
  readonly type: ErrorType;
  readonly status: number;
  /** Further information, for the body's `detail`. */
  readonly detail: string;

  constructor(type: ErrorType, message: string, detail = '') {
    super(message);
    this.detail = detail;
    this.name = type;
    this.type = type;
    this.status = ERRORS[type].status;
  }
}

// A value of a request may be megabytes long; the error shows only its beginning.
const MOST_SHOWN = 2000;
const bounded = (text: string): string => (text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}…` : text);

/** Returns the error of a type, with the values filled in to its template. */
export function neutronError<T extends ErrorType>(
  type: T,
  ...[values]: [Placeholders<(typeof ERRORS)[T]['template']>] extends [never] ? [] : [ValuesOf<T>]
): NeutronError {
  return filled(type, values ?? {});
}

function filled(type: ErrorType, values: Values): NeutronError {
  const text = ERRORS[type].template.replace(/\{(\w+)\}/g, (_, name: string) => bounded(String(values[name])));
  return new NeutronError(type, text);
}

/** Returns Neutron's error for a value that the attribute's type rejects: `Invalid input for ATTRIBUTE. Reason: REASON.` */
export function invalidAttribute(attribute: string, reason: string): NeutronError {
  return neutronError('HTTPBadRequest', { reason: `Invalid input for ${attribute}. Reason: ${reason}.` });
}

/** Formats a value for an error message: bounded, strings without quotes, null as None (as in Neutron's messages). */
export function shown(value: unknown): string {
  const text =
    value === null || value === undefined ? 'None' : typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}

/** The types of errors whose message needs the id alone: those for what does not exist. */
export type NotFoundType = {
  [T in ErrorType]: T extends `${string}NotFound`
    ? [Placeholders<(typeof ERRORS)[T]['template']>] extends ['id']
      ? T
      : never
    : never;
}[ErrorType];

/**
 * Returns the error for an id of a resource that does not exist: the type that its declaration names, or `PortNotFound` for `port`
 * if there is one.
 */
export function notFound(
  resource: { readonly name: string; readonly notFound?: NotFoundType },
  id: string,
): NeutronError {
  const derived = `${resource.name.replace(/(^|_)([a-z])/g, (_, __, letter: string) => letter.toUpperCase())}NotFound`;
  const type = resource.notFound ?? derived;
  return Object.hasOwn(ERRORS, type) ? filled(type as ErrorType, { id }) : neutronError('HTTPNotFound', { path: id });
}
