import { hostname } from 'node:os';

/** The kinds of value an option may have; `parse.ts` turns text into them and says what would be right. */
export type OptionKind =
  | { readonly kind: 'string'; readonly choices?: readonly string[]; readonly pattern?: RegExp; readonly hint?: string }
  | { readonly kind: 'integer'; readonly min?: number; readonly max?: number }
  | { readonly kind: 'float'; readonly min?: number; readonly max?: number }
  | { readonly kind: 'boolean' }
  | { readonly kind: 'list' };

export interface Option<T> {
  readonly type: OptionKind;
  readonly default: T;
  readonly help: string;
}

const text = (fallback: string, help: string, more: { choices?: readonly string[]; pattern?: RegExp; hint?: string } = {}): Option<string> => ({
  type: { kind: 'string', ...more },
  default: fallback,
  help,
});
const integer = (fallback: number, help: string, min?: number, max?: number): Option<number> => ({
  type: { kind: 'integer', ...(min === undefined ? {} : { min }), ...(max === undefined ? {} : { max }) },
  default: fallback,
  help,
});
const flag = (fallback: boolean, help: string): Option<boolean> => ({ type: { kind: 'boolean' }, default: fallback, help });
const list = (fallback: readonly string[], help: string): Option<readonly string[]> => ({
  type: { kind: 'list' },
  default: fallback,
  help,
});

/**
 * Every option that Neutrino honours, under Neutron's names and sections (the configuration reference of
 * neutron.conf, ml2_conf.ini and dhcp_agent.ini). The only list: files, environment, flags, `--help` and docs derive from it.
 */
export const OPTIONS = {
  DEFAULT: {
    bind_host: text('127.0.0.1', 'address the API listens on'),
    bind_port: integer(9696, 'port the API listens on; 0 takes a free one', 0, 65535),
    auth_strategy: text('noauth', 'who may ask: noauth (everybody is an administrator)', { choices: ['noauth'] }),
    state_path: text('/var/lib/neutrino', 'folder that holds the database, dnsmasq files and instances'),
    host: text(hostname(), 'name of this host as agents report it', {
      pattern: /^[A-Za-z0-9][A-Za-z0-9._-]{0,254}$/,
      hint: 'letters, digits, dot, hyphen and underscore, at most 255',
    }),
    debug: flag(false, 'log at level debug'),
    base_mac: text('fa:16:3e:00:00:00', 'first bytes of generated MAC addresses; bytes of 00 after the third are drawn at random', {
      pattern: /^[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}$/,
      hint: 'six bytes such as fa:16:3e:00:00:00',
    }),
    dns_domain: text('openstacklocal', 'domain of host names that DHCP and DNS give out'),
    global_physnet_mtu: integer(1500, 'MTU of the physical network; overlay networks get it less their overhead', 68, 65535),
    dhcp_lease_duration: integer(86400, 'DHCP lease time in seconds; -1 means for ever', -1),
    dhcp_agent_notification: flag(true, 'tell DHCP agents of changes'),
    dhcp_agents_per_network: integer(1, 'DHCP agents that serve a network', 1),
    network_scheduler_driver: text('chance', 'how a DHCP agent is chosen: chance, weight, or their dotted path in Neutron'),
    network_auto_schedule: flag(true, 'schedule networks without an agent when one asks'),
    agent_down_time: integer(75, 'seconds without a report after which an agent counts as dead', 1),
    max_dns_nameservers: integer(5, 'DNS servers of a subnet at most', 0),
    max_subnet_host_routes: integer(20, 'host routes of a subnet at most', 0),
    max_fixed_ips_per_port: integer(5, 'fixed IPs of a port at most', 1),
    max_allowed_address_pair: integer(10, 'allowed address pairs of a port at most', 1),
    allow_bulk: flag(true, 'allow bulk creation'),
    pagination_max_limit: text('-1', 'resources of one page at most; -1 or infinite: no bound'),
    resync_interval: integer(5, 'seconds between looks of the DHCP agent at what failed', 1),
    resync_throttle: integer(1, 'seconds between two full syncs of the DHCP agent at least', 0),
    num_sync_threads: integer(4, 'networks the DHCP agent works on side by side', 1, 64),
    interface_driver: text('linuxbridge', 'how devices are plugged: linuxbridge, or its dotted path in Neutron'),
    dhcp_driver: text('dnsmasq', 'what answers DHCP: dnsmasq, or its dotted path in Neutron'),
    dhcp_confs: text('$state_path/dhcp', 'folder that holds the files of dnsmasq'),
    dhcp_broadcast_reply: flag(false, 'answer by broadcast (for InfiniBand)'),
    dnsmasq_config_file: text('', 'configuration file passed to dnsmasq'),
    dnsmasq_dns_servers: list([], 'DNS servers that dnsmasq forwards to'),
    dnsmasq_base_log_dir: text('', 'folder for the logs of dnsmasq; none unless set'),
    dnsmasq_local_resolv: flag(false, "dnsmasq uses the host's resolv.conf"),
    dnsmasq_lease_max: integer(16777216, 'leases of one dnsmasq at most', 1),
    dnsmasq_enable_addr6_list: flag(false, 'one line for all DHCPv6 addresses of a port'),
    dhcp_renewal_time: integer(0, 'DHCP option 58 in seconds; 0 sends none', 0),
    dhcp_rebinding_time: integer(0, 'DHCP option 59 in seconds; 0 sends none', 0),
    enable_isolated_metadata: flag(false, 'route to the metadata service through the DHCP port on networks without a router'),
    force_metadata: flag(false, 'route to the metadata service through the DHCP port on all networks'),
    enable_metadata_network: flag(false, 'serve metadata on networks of 169.254.169.254/16'),
    bulk_reload_interval: integer(0, 'seconds to collect changes before dnsmasq is told; 0 tells it at once', 0),
  },
  agent: {
    report_interval: integer(30, 'seconds between reports of an agent', 1),
    availability_zone: text('nova', 'availability zone of the agent'),
  },
  database: {
    connection: text('', 'database URL, sqlite:////path; empty: neutrino.sqlite under state_path'),
    sqlite_synchronous: flag(true, 'write through to the disk at every commit (synchronous=FULL)'),
  },
  ml2: {
    type_drivers: list(['local', 'flat', 'vlan', 'vxlan'], 'network types that may be made'),
    tenant_network_types: list(['vxlan'], 'types given to networks that ask for none, in order'),
    path_mtu: integer(0, 'MTU of the path between hosts; 0: global_physnet_mtu', 0),
    physical_network_mtus: list([], 'physnet:mtu pairs'),
  },
  ml2_type_flat: { flat_networks: list(['*'], 'physical networks that flat networks may use; *: all') },
  ml2_type_vlan: { network_vlan_ranges: list([], 'physnet:min:max ranges of VLAN ids') },
  ml2_type_vxlan: { vni_ranges: list(['1:16777215'], 'min:max ranges of VXLAN ids') },
  linux_bridge: { physical_interface_mappings: list([], 'physnet:interface pairs of this host') },
} as const;

type Sections = typeof OPTIONS;

/** The values in force, by section and name: `config.DEFAULT.bind_port`, `config.agent.report_interval`. */
export type Config = {
  readonly [S in keyof Sections]: {
    readonly [N in keyof Sections[S]]: Sections[S][N] extends Option<infer T> ? T : never;
  };
};

/** All defaults, with `$state_path` filled in. */
export function defaultConfig(): Config {
  const sections = Object.entries(OPTIONS).map(([section, options]) => [
    section,
    Object.fromEntries(Object.entries(options as Record<string, Option<unknown>>).map(([name, o]) => [name, o.default])),
  ]);
  return Object.fromEntries(sections) as Config;
}
