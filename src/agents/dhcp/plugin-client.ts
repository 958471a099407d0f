import type { RpcTransport } from '../../rpc/contract.ts';
import type { NetworkInfo, PortDocument } from '../../rpc/documents.ts';
import { RemoteError, UnsupportedVersion } from '../../rpc/errors.ts';
import { topicClient } from '../../rpc/topic.ts';
import { PLUGIN_TOPIC } from '../../rpc/topics/plugin.ts';

/** Number of networks and ports per page: about a megabyte. */
const PAGE = 1_000;

const isUnknownForm = (error: unknown): boolean =>
  error instanceof UnsupportedVersion || (error instanceof RemoteError && error.remoteClass === 'TypeError');

/** The calls from the DHCP agent to the server. Every method throws MessagingTimeout and RemoteError. */
export interface PluginClient {
  /**
   * Returns all networks of this agent, in pages; the request also makes the server schedule unserved networks to it. A stock
   * server returns all at once. `onAsk` is called before each page is requested.
   */
  activeNetworks(onAsk: () => void): AsyncIterable<readonly NetworkInfo[]>;
  /** null: the network does not exist. */
  getNetworkInfo(networkId: string): Promise<NetworkInfo | null>;
  /** null: the network was deleted meanwhile, or no address is free. */
  createDhcpPort(port: Readonly<Record<string, unknown>>): Promise<PortDocument | null>;
  /** null: the port no longer exists, or does not belong to this host. */
  updateDhcpPort(portId: string, port: Readonly<Record<string, unknown>>): Promise<PortDocument | null>;
  releaseDhcpPort(networkId: string, deviceId: string): Promise<unknown>;
  dhcpReadyOnPorts(portIds: readonly string[]): Promise<unknown>;
}

/** Returns a client of `q-plugin` for a host. */
export function pluginClient(transport: RpcTransport, host: string): PluginClient {
  const client = topicClient(transport, PLUGIN_TOPIC);
  return {
    async *activeNetworks(onAsk) {
      const wanted = { host, enable_dhcp_filter: false };
      let marker = '';
      do {
        onAsk();
        const page = { ...wanted, limit: PAGE, ...(marker === '' ? {} : { marker }) };
        const answer = await client.call('get_active_networks_info', page).catch((error: unknown) => {
          // From a server that rejects unknown arguments.
          if (marker !== '' || !isUnknownForm(error)) throw error;
          return client.call('get_active_networks_info', wanted);
        });
        if (!('next_marker' in answer)) {
          yield answer;
          return;
        }
        yield answer.networks;
        const next = answer.next_marker;
        if (next !== null && next <= marker)
          throw new Error(`the server returned page ${next} of networks after ${marker}, which does not advance`);
        marker = next ?? '';
      } while (marker !== '');
    },
    getNetworkInfo: (network_id) => client.call('get_network_info', { network_id, host }),
    createDhcpPort: (port) => client.call('create_dhcp_port', { port: { port }, host }),
    updateDhcpPort: (port_id, port) => client.call('update_dhcp_port', { port_id, port: { port }, host }),
    releaseDhcpPort: (network_id, device_id) => client.call('release_dhcp_port', { network_id, device_id, host }),
    // Takes no `host`: Neutron's server refuses unknown keywords.
    dhcpReadyOnPorts: (port_ids) => client.call('dhcp_ready_on_ports', { port_ids }),
  };
}
