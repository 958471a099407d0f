import type { RpcTransport } from '../../rpc/contract.ts';
import type { NetworkInfo, PortDocument } from '../../rpc/documents.ts';
import { RemoteError, UnsupportedVersion } from '../../rpc/errors.ts';
import { topicClient } from '../../rpc/topic.ts';
import { PLUGIN_TOPIC } from '../../rpc/topics/plugin.ts';

/** Networks and ports of a page: about a megabyte. */
const PAGE = 1_000;

const isUnknownForm = (error: unknown): boolean =>
  error instanceof UnsupportedVersion || (error instanceof RemoteError && error.remoteClass === 'TypeError');

/** What the DHCP agent asks of the server. Every method throws MessagingTimeout and RemoteError. */
export interface PluginClient {
  /**
   * All networks that this agent serves, in pages; asking also has the server give it those that no agent serves. A stock server
   * gives all at once. `onAsk` is called before each page is asked for.
   */
  activeNetworks(onAsk: () => void): AsyncIterable<readonly NetworkInfo[]>;
  /** null: there is no such network. */
  getNetworkInfo(networkId: string): Promise<NetworkInfo | null>;
  /** null: the network went meanwhile, or no address is free. */
  createDhcpPort(port: Readonly<Record<string, unknown>>): Promise<PortDocument | null>;
  /** null: the port is gone, or not this host's. */
  updateDhcpPort(portId: string, port: Readonly<Record<string, unknown>>): Promise<PortDocument | null>;
  releaseDhcpPort(networkId: string, deviceId: string): Promise<unknown>;
  dhcpReadyOnPorts(portIds: readonly string[]): Promise<unknown>;
}

/** `q-plugin` over a transport, in this host's name. */
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
          // Of a server that is strict about arguments that it does not know.
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
          throw new Error(`the server gives page ${next} of networks after ${marker}, which is none further on`);
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
