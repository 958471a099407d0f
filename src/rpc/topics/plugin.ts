import type { FixedIp, NetworkInfo, PortDocument } from '../documents.ts';
import type { TopicContract } from '../topic.ts';
import type { SecurityGroupInfo } from './security-groups.ts';

/** Details of a device (`get_devices_details_list`); a device that the server does not know has only `device`. */
export interface DeviceDetails {
  readonly device: string;
  readonly port_id?: string;
  readonly network_id?: string;
  readonly mac_address?: string;
  readonly admin_state_up?: boolean;
  readonly network_type?: string;
  readonly segmentation_id?: number | null;
  readonly physical_network?: string | null;
  readonly mtu?: number;
  readonly fixed_ips?: readonly FixedIp[];
  readonly device_owner?: string;
  readonly allowed_address_pairs?: readonly { readonly mac_address: string; readonly ip_address: string }[];
  readonly port_security_enabled?: boolean;
  readonly qos_policy_id?: string | null;
  readonly qos_network_policy_id?: string | null;
  /** The `binding:profile` of the port. */
  readonly profile?: Readonly<Record<string, unknown>>;
  readonly propagate_uplink_status?: boolean;
}

/**
 * Some of an agent's networks, in the order of their ids. Only Neutrino's server returns pages, when it is asked with `limit`: the
 * number of networks and ports on a page at most, unless one network alone has more. A stock server ignores the argument and
 * returns the list of all.
 */
interface NetworkInfoPage {
  readonly networks: readonly NetworkInfo[];
  /** `marker` of the next page; null: this is the last one. */
  readonly next_marker: string | null;
}

/** Accepted values by attribute; those of `fixed_ips` are again by attribute. */
export type PortFilters = Readonly<Record<string, unknown>>;

interface PluginMethods {
  get_active_networks_info: {
    args: { host: string; enable_dhcp_filter?: boolean; limit?: number; marker?: string };
    result: readonly NetworkInfo[] | NetworkInfoPage;
  };
  get_network_info: { args: { network_id: string; host: string }; result: NetworkInfo | null };
  get_dhcp_port: { args: { port_id: string; host: string }; result: PortDocument };
  create_dhcp_port: { args: { port: { port: Record<string, unknown> }; host: string }; result: PortDocument | null };
  update_dhcp_port: {
    args: { port_id: string; port: { port: Record<string, unknown> }; host: string };
    result: PortDocument | null;
  };
  release_dhcp_port: { args: { network_id: string; device_id: string; host: string }; result: null };
  dhcp_ready_on_ports: { args: { port_ids: readonly string[] }; result: null };
  /** DHCP agents pass `port_filters`, metadata agents (topics/metadata.ts) `filters`. */
  get_ports: {
    args: { port_filters?: PortFilters; filters?: PortFilters; host?: string };
    result: readonly PortDocument[];
  };
  get_devices_details_list: {
    args: { devices: readonly string[]; agent_id: string; host: string };
    result: readonly DeviceDetails[];
  };
  /** `call_version`: that of the answer; servers since Mitaka know only "1.3". */
  security_group_info_for_devices: {
    args: { devices: readonly string[]; call_version?: string };
    result: SecurityGroupInfo;
  };
  update_device_up: { args: { device: string; agent_id: string; host: string }; result: null };
  update_device_down: {
    args: { device: string; agent_id: string; host: string };
    result: { device: string; exists: boolean };
  };
}

/** `q-plugin`: requests of DHCP, L2 and metadata agents to the server. */
export const PLUGIN_TOPIC: TopicContract<PluginMethods> = {
  topic: 'q-plugin',
  version: '1.10',
  methods: {
    get_active_networks_info: '1.1',
    get_network_info: '1.0',
    get_dhcp_port: '1.8',
    create_dhcp_port: '1.1',
    update_dhcp_port: '1.1',
    release_dhcp_port: '1.0',
    dhcp_ready_on_ports: '1.5',
    get_ports: '1.10',
    get_devices_details_list: '1.9',
    security_group_info_for_devices: '1.3',
    update_device_up: '1.9',
    update_device_down: '1.9',
  },
};
export type { PluginMethods };
