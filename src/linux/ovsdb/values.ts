/** A value as OVSDB writes it in JSON (RFC 7047, section 5.1). */
export type Value = string | number | boolean | readonly [string, unknown];
export type Row = Readonly<Record<string, Value>>;

export const uuidOf = (id: string): Value => ['uuid', id];
/** The row that another operation of the transaction inserts under this name. */
export const namedUuid = (name: string): Value => ['named-uuid', name];
export const setOf = (values: readonly Value[]): Value => ['set', values];
export const mapOf = (entries: Readonly<Record<string, string>>): Value => ['map', Object.entries(entries)];

/** Returns the elements of a set; a set of one element may be written as that element (RFC 7047, section 5.1, <set>). */
function elements(value: Value | undefined): readonly Value[] {
  if (value === undefined) return [];
  return Array.isArray(value) && value[0] === 'set' ? (value[1] as readonly Value[]) : [value as Value];
}

/** Returns the ids in a set of references. */
export function references(value: Value | undefined): readonly string[] {
  return elements(value).flatMap((one) => (Array.isArray(one) && one[0] === 'uuid' ? [String(one[1])] : []));
}

/** Returns the entries of a map of strings. */
export function entries(value: Value | undefined): Readonly<Record<string, string>> {
  if (!Array.isArray(value) || value[0] !== 'map') return {};
  return Object.fromEntries(value[1] as readonly (readonly [string, string])[]);
}

/** Returns the text of an optional column; undefined if it is empty. */
export function text(value: Value | undefined): string | undefined {
  const [one] = elements(value);
  return typeof one === 'string' ? one : undefined;
}

/** Returns the number of an optional column; undefined if it is empty. */
export function number(value: Value | undefined): number | undefined {
  const [one] = elements(value);
  return typeof one === 'number' ? one : undefined;
}
