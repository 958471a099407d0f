import type { Core } from '../plugin/core.ts';
import { PORT_LIST, portDocuments } from '../plugin/ports/documents.ts';
import { neutronError, shown } from '../resources/errors.ts';
import type { Handlers } from '../rpc/topic.ts';
import type { PluginMethods } from '../rpc/topics/plugin.ts';
import { isFilter, type ListQuery, listIds, loadInOrder } from '../store/listing.ts';
import { dictionaryArgument } from './arguments.ts';

/** `fixed_ips` filters arrive as `{"subnet_id": [...]}`; lists of the API take `subnet_id=...`. */
function filterTexts(name: string, value: unknown): readonly string[] {
  if (name === 'fixed_ips' && value !== null && typeof value === 'object' && !Array.isArray(value))
    return Object.entries(value).flatMap(([kind, some]) => filterTexts(kind, some).map((one) => `${kind}=${one}`));
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (!values.every((one) => ['string', 'number', 'boolean'].includes(typeof one)))
    throw neutronError('InvalidInput', {
      reason: `filter ${name} is '${shown(value)}', which is not a list of values`,
    });
  return values.map(String);
}

function portQuery(filters: Readonly<Record<string, unknown>>): ListQuery {
  const unknown = Object.keys(filters).filter((name) => !isFilter(PORT_LIST, name));
  if (unknown.length > 0)
    throw neutronError('InvalidInput', { reason: `ports cannot be filtered by ${unknown.join(', ').slice(0, 300)}` });
  const texts = Object.entries(filters).map(([name, value]) => [name, filterTexts(name, value)] as const);
  return { filters: Object.fromEntries(texts), sorts: [], pageReverse: false };
}

/** The methods for all agents that look up ports. They throw NeutronError for malformed arguments. */
export function portMethods({ db, config }: Core): Pick<Handlers<PluginMethods>, 'get_ports'> {
  return {
    async get_ports(args) {
      // Metadata agents call it `filters`.
      const filters = dictionaryArgument(args, args.filters === undefined ? 'port_filters' : 'filters');
      const ids = await listIds(db.kysely, PORT_LIST, portQuery(filters));
      return loadInOrder(ids, (some) => portDocuments(db.kysely, config, some));
    },
  };
}
