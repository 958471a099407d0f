import type { AddressAllocator } from '../ipam/allocate.ts';
import type { Core } from '../plugin/core.ts';
import { portDocuments } from '../plugin/ports/documents.ts';
import { completeProvisioning } from '../plugin/provisioning.ts';
import { neutronError } from '../resources/errors.ts';
import type { Handlers } from '../rpc/topic.ts';
import type { PluginMethods } from '../rpc/topics/plugin.ts';
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
>;

/** The `port` argument: `{"port": {...}}`. */
const portBody = (args: object) => dictionaryArgument(dictionaryArgument(args, 'port'), 'port');

/** The methods for DHCP agents. All throw NeutronError for malformed arguments, and then change nothing. */
export function dhcpMethods(core: Core, allocator: AddressAllocator): Methods {
  const { db, config } = core;
  const ports = (ids: readonly string[]) => portDocuments(db.kysely, config, ids);
  return {
    async get_active_networks_info(args) {
      const host = textArgument(args, 'host');
      const dhcpOnly = flagArgument(args, 'enable_dhcp_filter', true);
      const limit = countArgument(args, 'limit', MAX_PAGE);
      if (limit === undefined) return networkInfos(core, (await activeNetworks(core, host)).ids, host, dhcpOnly);
      const marker = args.marker === undefined ? undefined : textArgument(args, 'marker');
      const { ids, more } = await activeNetworks(core, host, { limit, marker });
      return {
        networks: await networkInfos(core, ids, host, dhcpOnly),
        next_marker: more ? (ids.at(-1) ?? null) : null,
      };
    },
    async get_network_info(args) {
      const host = textArgument(args, 'host');
      return (await networkInfos(core, [textArgument(args, 'network_id')], host, false))[0] ?? null;
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
  };
}
