import type { RpcTransport } from '../../rpc/contract.ts';
import type { NetworkInfo, PortDocument } from '../../rpc/documents.ts';
import { topicClient } from '../../rpc/topic.ts';
import { PLUGIN_TOPIC } from '../../rpc/topics/plugin.ts';

/** What the DHCP agent asks of the server. Every method throws MessagingTimeout and RemoteError. */
export interface PluginClient {
  /** All networks that this agent serves; asking also has the server give it those that no agent serves. */
  getActiveNetworks(): Promise<readonly NetworkInfo[]>;
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
    getActiveNetworks: () => client.call('get_active_networks_info', { host, enable_dhcp_filter: false }),
    getNetworkInfo: (network_id) => client.call('get_network_info', { network_id, host }),
    createDhcpPort: (port) => client.call('create_dhcp_port', { port: { port }, host }),
    updateDhcpPort: (port_id, port) => client.call('update_dhcp_port', { port_id, port: { port }, host }),
    releaseDhcpPort: (network_id, device_id) => client.call('release_dhcp_port', { network_id, device_id, host }),
    // Takes no `host`: Neutron's server refuses unknown keywords.
    dhcpReadyOnPorts: (port_ids) => client.call('dhcp_ready_on_ports', { port_ids }),
  };
}
