import type { AddressAllocator } from '../ipam/allocate.ts';
import type { Core } from '../plugin/core.ts';
import { PORT_LIST, portDocuments } from '../plugin/ports/documents.ts';
import { completeProvisioning } from '../plugin/provisioning.ts';
import { neutronError, shown } from '../resources/errors.ts';
import type { Handlers } from '../rpc/topic.ts';
import type { PluginMethods } from '../rpc/topics/plugin.ts';
import { isFilter, type ListQuery, listIds, loadInOrder } from '../store/listing.ts';
import { activeNetworks } from './active-networks.ts';
import { countArgument, dictionaryArgument, flagArgument, textArgument, textsArgument } from './arguments.ts';
import { createDhcpPort, releaseDhcpPort, updateDhcpPort } from './dhcp-ports.ts';
import { networkInfos } from './network-info.ts';

/** Maximum number of ports in one call; stock agents send 64. */
const MAX_READY = 1_000;
/** Maximum number of networks and ports on a page. */
const MAX_PAGE = 10_000;

type Methods = Pick<
  Handlers<PluginMethods>,
  | 'get_active_networks_info'
  | 'get_network_info'
  | 'get_dhcp_port'
  | 'create_dhcp_port'
  | 'update_dhcp_port'
  | 'release_dhcp_port'
  | 'dhcp_ready_on_ports'
  | 'get_ports'
>;

/** The `port` argument: `{"port": {...}}`. */
const portBody = (args: object) => dictionaryArgument(dictionaryArgument(args, 'port'), 'port');

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

/** The methods for DHCP agents. All throw NeutronError for malformed arguments, and then change nothing. */
export function dhcpMethods(core: Core, allocator: AddressAllocator): Methods {
  const { db, config } = core;
  const ports = (ids: readonly string[]) => portDocuments(db.kysely, config, ids);
  return {
    async get_active_networks_info(args) {
      const host = textArgument(args, 'host');
      const dhcpOnly = flagArgument(args, 'enable_dhcp_filter', true);
      const limit = countArgument(args, 'limit', MAX_PAGE);
      if (limit === undefined) return networkInfos(core, (await activeNetworks(core, host)).ids, dhcpOnly);
      const marker = args.marker === undefined ? undefined : textArgument(args, 'marker');
      const { ids, more } = await activeNetworks(core, host, { limit, marker });
      return { networks: await networkInfos(core, ids, dhcpOnly), next_marker: more ? (ids.at(-1) ?? null) : null };
    },
    async get_network_info(args) {
      textArgument(args, 'host');
      return (await networkInfos(core, [textArgument(args, 'network_id')], false))[0] ?? null;
    },
    async get_dhcp_port(args) {
      const id = textArgument(args, 'port_id');
      const port = (await ports([id])).get(id);
      if (!port) throw neutronError('PortNotFound', { id });
      return port;
    },
    create_dhcp_port: async (args) => createDhcpPort(core, allocator, portBody(args), textArgument(args, 'host')),
    update_dhcp_port: async (args) =>
      updateDhcpPort(core, allocator, textArgument(args, 'port_id'), portBody(args), textArgument(args, 'host')),
    async release_dhcp_port(args) {
      await releaseDhcpPort(core, textArgument(args, 'network_id'), textArgument(args, 'device_id'));
      return null;
    },
    async dhcp_ready_on_ports(args) {
      const ids = textsArgument(args, 'port_ids', MAX_READY);
      await db.transaction((trx) => completeProvisioning(trx, core, ids, 'DHCP'));
      return null;
    },
    async get_ports(args) {
      const ids = await listIds(db.kysely, PORT_LIST, portQuery(dictionaryArgument(args, 'port_filters')));
      return loadInOrder(ids, ports);
    },
  };
}
