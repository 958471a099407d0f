import type { Resource } from '../resources/attribute.ts';
import { neutronError, shown } from '../resources/errors.ts';
import type { ListQuery } from '../store/listing.ts';

/** The query string of a list, parsed into filters, sort keys, page and the attributes to show. */
export interface ParsedQuery {
  readonly list: ListQuery;
  /** Attributes to show; undefined: all. */
  readonly fields: readonly string[] | undefined;
}

const RESERVED = new Set(['fields', 'sort_key', 'sort_dir', 'limit', 'marker', 'page_reverse']);
const bad = (reason: string) => neutronError('HTTPBadRequest', { reason });
const quoted = (names: readonly string[]): string => names.map((n) => `'${shown(n)}'`).join(', ');
// Limits the work that one query can cause in the database.
const MAX_FILTER_VALUES = 5000;

function limitOf(text: string | null, maximum: number | undefined): number | undefined {
  if (text === null) return maximum;
  if (!/^\d{1,15}$/.test(text))
    throw neutronError('BadRequest', {
      resource: 'limit',
      reason: `Limit must be an integer 0 or greater and not '${text.slice(0, 100)}'`,
    });
  const limit = Number(text);
  if (limit === 0) return maximum;
  return maximum === undefined ? limit : Math.min(limit, maximum);
}

function sortsOf(resource: Resource, parameters: URLSearchParams): ListQuery['sorts'] {
  const keys = parameters.getAll('sort_key');
  const dirs = parameters.getAll('sort_dir');
  if (keys.length === 0 && dirs.length === 0) return [];
  if (keys.length !== dirs.length) throw bad('The number of sort_keys and sort_dirs must be same');
  const invalid = keys.filter((key) => !(Object.hasOwn(resource.attributes, key) && resource.attributes[key]?.sort));
  if (invalid.length > 0) throw bad(`[${quoted(invalid)}] is invalid attribute for sort_keys`);
  return keys.map((attribute, i) => {
    const direction = dirs[i];
    if (direction !== 'asc' && direction !== 'desc')
      throw bad(`'${shown(direction)}' is invalid value for sort_dirs, valid value is 'asc' and 'desc'`);
    return { attribute, descending: direction === 'desc' };
  });
}

/**
 * Parses the query string of a list. Throws NeutronError for unknown filters and sort keys, and for invalid paging.
 * `maximum`: maximum number of resources per page (pagination_max_limit).
 */
export function parseListQuery(
  resource: Resource,
  parameters: URLSearchParams,
  isFilter: (name: string) => boolean,
  maximum: number | undefined,
): ParsedQuery {
  const filters: Record<string, string[]> = {};
  const unknown = new Set<string>();
  for (const name of new Set(parameters.keys())) {
    if (RESERVED.has(name)) continue;
    const values = parameters.getAll(name);
    if (!isFilter(name)) unknown.add(name);
    if (values.length > MAX_FILTER_VALUES)
      throw bad(`${values.length} values of filter '${name}' are more than the ${MAX_FILTER_VALUES} allowed`);
    filters[name] = values;
  }
  if (unknown.size > 0) throw bad(`[${quoted([...unknown])}] is invalid attribute for filtering`);
  const limit = limitOf(parameters.get('limit'), maximum);
  const marker = parameters.get('marker');
  const fields = fieldsOf(parameters);
  return {
    list: {
      filters,
      sorts: sortsOf(resource, parameters),
      pageReverse: parameters.get('page_reverse')?.toLowerCase() === 'true',
      ...(limit === undefined ? {} : { limit }),
      ...(marker === null || marker === '' ? {} : { marker }),
      ...(fields === undefined ? {} : { fields }),
    },
    fields,
  };
}

/** Returns the attributes in `fields`; undefined without it. As in Neutron, an empty `fields=` contains none. */
export const fieldsOf = (parameters: URLSearchParams): readonly string[] | undefined =>
  parameters.has('fields') ? parameters.getAll('fields') : undefined;

interface Link {
  readonly rel: 'next' | 'previous';
  readonly href: string;
}

/**
 * Returns `*_links` of a page: `next` if there may be more, `previous` to go back (API reference: Pagination). Also if the client
 * sent no limit and the server's own applies; otherwise the client would take the first page for the whole list.
 */
export function pageLinks(
  url: string,
  parameters: URLSearchParams,
  query: ListQuery,
  ids: readonly string[],
): readonly Link[] {
  if (query.limit === undefined) return [];
  const full = ids.length >= query.limit;
  const link = (rel: Link['rel'], marker: string | undefined, reverse: boolean): Link => {
    const kept = new URLSearchParams(parameters);
    kept.delete('marker');
    kept.delete('page_reverse');
    if (marker !== undefined) kept.append('marker', marker);
    if (reverse) kept.append('page_reverse', 'True');
    return { rel, href: `${url}?${kept}` };
  };
  return [
    ...(full || query.pageReverse ? [link('next', ids.at(-1), false)] : []),
    ...(full || !query.pageReverse ? [link('previous', ids[0], true)] : []),
  ];
}
