/** Makes two responses comparable: ids become names in order of the cases, times and random addresses become placeholders. */

export interface Comparison {
  /** Whether the order of listed resources matters. */
  readonly ordered?: boolean;
  /** Whether the order of all arrays matters. */
  readonly exact?: boolean;
  /** Keys whose values may differ. */
  readonly ignore?: readonly string[];
}

type Json = unknown;
type JsonObject = Record<string, Json>;

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
const ADDRESSES = new Set([
  'fixed_ips',
  'dns_assignment',
  'external_fixed_ips',
  'floating_ip_address',
  'fixed_ip_address',
]);
const isObject = (value: Json): value is JsonObject =>
  value !== null && typeof value === 'object' && !Array.isArray(value);

/** JSON with sorted keys: equal texts are equal values. */
const canonical = (value: Json): string =>
  JSON.stringify(value, (_key, v: Json) =>
    isObject(v) ? Object.fromEntries(Object.entries(v).sort(([a], [b]) => (a < b ? -1 : 1))) : v,
  ) ?? 'undefined';

/** One side of the comparison: the reference, or the server under test. */
export class Side {
  readonly #names = new Map<string, string>();
  readonly #literals = new Set<string>();
  readonly #origin: string;
  #project: string | undefined;

  constructor(origin: string) {
    this.#origin = origin;
  }

  /** Names the ids that a response introduces. */
  learn(name: string, json: Json, method: string): void {
    if (!isObject(json)) return;
    const give = (id: unknown, symbol: string) => {
      if (typeof id === 'string' && id.match(UUID) && !this.#names.has(id)) this.#names.set(id, symbol);
    };
    for (const [key, value] of Object.entries(json)) {
      if (isObject(value)) give(value.id, `<${key}:${name}>`);
      else if (method !== 'GET' && Array.isArray(value))
        for (const [i, one] of value.entries()) if (isObject(one)) give(one.id, `<${key}:${name}#${i}>`);
    }
    const network = json.network;
    if (this.#project === undefined && isObject(network) && typeof network.tenant_id === 'string')
      this.#project = network.tenant_id;
  }

  /** Requested addresses and segment ids are compared; others are random. */
  sent(text: string): void {
    // Except those of address pairs, which are in the pool and can also be allocated.
    const asked = text.replace(/"allowed_address_pairs":\[[^\]]*\]/g, '');
    for (const [, ip = ''] of asked.matchAll(/ip_address(?:"\s*:\s*"|=|%3D)([0-9a-fA-F:.]+)/g)) this.#literals.add(ip);
    for (const [, id = ''] of text.matchAll(/segmentation_id"?[:=](\d+)/g)) this.#literals.add(`segment ${id}`);
  }

  #text(text: string, key: string, address: boolean): string {
    if (/^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d/.test(text)) return '<time>';
    if (text === this.#project && /tenant|project/.test(key)) return '<project>';
    if (address && /^[0-9.]+$|^[0-9a-f:]+:[0-9a-f:]*$/.test(text) && !this.#literals.has(text)) return '<ip>';
    if (address && /^host-/.test(text)) return text.replace(/^host-[0-9a-f-]+/, '<host-ip>');
    return text
      .split(this.#origin)
      .join('<base>')
      .replace(/fa:16:3e:[0-9a-f:]{8}/g, '<mac>')
      .replace(UUID, (id) => this.#names.get(id) ?? (/^(.)\1{7}-/.test(id) ? id : '<uuid>'))
      .replace(/req-<uuid>/g, '<req>');
  }

  /** Returns the value without everything that may differ between two servers. */
  value(value: Json, how: Comparison, key = '', address = false): Json {
    if (typeof value === 'string') return this.#text(value, key, address);
    if (Array.isArray(value)) {
      const items: Json[] = value.map((item: Json) => this.value(item, how, key, address));
      const listed = how.ordered === true && key.endsWith('s') && items.every((item) => isObject(item) && 'id' in item);
      const kept = listed || (how.exact === true && key !== 'allocation_pools');
      return kept ? items : items.sort((a, b) => (canonical(a) < canonical(b) ? -1 : 1));
    }
    if (isObject(value))
      return Object.fromEntries(
        Object.keys(value).map((name) => [
          this.#text(name, '', false),
          how.ignore?.includes(name) ? '<ignored>' : this.value(value[name], how, name, address || ADDRESSES.has(name)),
        ]),
      );
    // A row number, which depends on everything that was created before.
    if (key === 'standard_attr_id') return '<standard-attr-id>';
    if (key.endsWith('segmentation_id') && typeof value === 'number' && !this.#literals.has(`segment ${value}`))
      return '<segmentation-id>';
    return value;
  }
}

/** Returns the differences between two normalised responses as lines. Error messages may differ. */
export function differences(want: Json, got: Json, at = ''): readonly string[] {
  if (canonical(want) === canonical(got) || /^\.NeutronError\.(message|detail)/.test(at)) return [];
  if (Array.isArray(want) && Array.isArray(got) && want.length === got.length)
    return want.flatMap((item: Json, i) => differences(item, got[i], `${at}[${i}]`));
  if (isObject(want) && isObject(got))
    return [...new Set([...Object.keys(want), ...Object.keys(got)])].flatMap((key) =>
      differences(want[key], got[key], `${at}.${key}`),
    );
  return [`${at}: want ${String(JSON.stringify(want)).slice(0, 200)} got ${String(JSON.stringify(got)).slice(0, 200)}`];
}
