import { homedir, hostname } from 'node:os';
import { resolve } from 'node:path';
import { MAC } from '../net/patterns.ts';
import { KEYSTONE_AUTHTOKEN } from './keystone-authtoken.ts';
import { METADATA, METADATA_RATE_LIMITING } from './metadata.ts';
import { NOTIFICATIONS } from './notifications.ts';
import { NOVA, NOVA_EVENTS } from './nova.ts';
import { flag, float, integer, list, nothingOf, type Option, text } from './option.ts';
import { OVS, OVS_DEFAULT } from './ovs.ts';

const ROOT_STATE_PATH = '/var/lib/neutrino';
const userStatePath = () => resolve(process.env.XDG_STATE_HOME || resolve(homedir(), '.local/state'), 'neutrino');

/**
 * Every option that Neutrino supports, with Neutron's names and sections (the configuration reference of neutron.conf,
 * ml2_conf.ini, dhcp_agent.ini and metadata_agent.ini). The only list: files, environment, flags, `--help` and docs derive from it.
 */
export const OPTIONS = {
  DEFAULT: {
    bind_host: text('127.0.0.1', 'address that the API listens on', {
      pattern: /^[^\s/]+$/,
      hint: 'an IP address or host name',
    }),
    bind_port: integer(9696, 'port that the API listens on; 0: any free port', 0, 65535),
    api_workers: integer(1, 'processes of neutrino server that share the port; always 1 with SQLite', 0, 64),
    auth_strategy: text(
      'noauth',
      'how callers are authenticated; noauth: every caller is an administrator; keystone: by tokens of a Keystone; ' +
        "lab: Neutrino's own Identity v3 at /identity/v3",
      { choices: ['noauth', 'keystone', 'lab'] },
      { readBy: 'server' },
    ),
    state_path: text(
      process.geteuid?.() === 0 ? ROOT_STATE_PATH : userStatePath(),
      'folder for the database, dnsmasq files and virtual machines',
      { path: true },
      { defaultText: `${ROOT_STATE_PATH}; without root ~/.local/state/neutrino` },
    ),
    host: text(
      hostname(),
      'name of this host, as reported by agents',
      {
        pattern: /^[A-Za-z0-9][A-Za-z0-9._-]{0,254}$/,
        hint: 'letters, digits, dot, hyphen and underscore, at most 255',
      },
      { defaultText: "this machine's host name" },
    ),
    debug: flag(false, 'log at level debug, and log stack traces of errors'),
    log_format: text('auto', 'format of the log; `auto`: text on a terminal, otherwise JSON', {
      choices: ['auto', 'text', 'json'],
    }),
    transport_url: text(
      '',
      'RabbitMQ between servers and agents, rabbit://user:password@host:port,user:password@host2:port2/vhost; empty: ' +
        'in memory, within one process',
    ),
    rpc_response_timeout: integer(60, 'seconds that an RPC call waits for its reply', 1),
    control_exchange: text('neutron', 'AMQP exchange for RPC topics', {
      pattern: /^[A-Za-z0-9._:-]{1,127}$/,
      hint: 'letters, digits, dot, colon, hyphen and underscore, at most 127',
    }),
    base_mac: text(
      'fa:16:3e:00:00:00',
      'prefix of generated MAC addresses; trailing 00 bytes after the third are replaced by random ones',
      { pattern: MAC, hint: 'six bytes such as fa:16:3e:00:00:00' },
    ),
    dns_domain: text('openstacklocal', 'domain of host names served by DHCP and DNS', {
      pattern: /^[A-Za-z0-9._-]*$/,
      hint: 'a domain name such as example.org',
    }),
    global_physnet_mtu: integer(
      1500,
      'MTU of the physical network; overlay networks use it minus their overhead',
      68,
      65535,
    ),
    dhcp_lease_duration: integer(86400, 'DHCP lease time in seconds; -1: infinite', -1),
    ipv6_pd_enabled: flag(false, 'use_default_subnetpool means prefix delegation for IPv6 subnets'),
    dhcp_agent_notification: flag(true, 'notify DHCP agents of changes'),
    dhcp_agents_per_network: integer(1, 'number of DHCP agents that serve a network', 1),
    network_scheduler_driver: text('chance', "how a DHCP agent is chosen; Neutron's dotted path is accepted too", {
      choices: ['chance', 'weight', 'az_weight'],
      aliases: {
        'neutron.scheduler.dhcp_agent_scheduler.ChanceScheduler': 'chance',
        'neutron.scheduler.dhcp_agent_scheduler.WeightScheduler': 'weight',
        'neutron.scheduler.dhcp_agent_scheduler.AZAwareWeightScheduler': 'az_weight',
      },
    }),
    default_availability_zones: list([], 'availability zones of networks created without hints; empty: all'),
    allow_automatic_dhcp_failover: flag(true, 'move networks from a dead DHCP agent to live ones'),
    enable_services_on_agents_with_admin_state_down: flag(
      false,
      'agents with admin_state_up false keep serving their networks, and more can be added manually',
    ),
    enable_new_agents: flag(true, 'enable agents (admin_state_up) on their first report'),
    network_auto_schedule: flag(true, 'when a DHCP agent requests its networks, also schedule unserved networks to it'),
    service_plugins: list(
      ['router', 'qos', 'tag', 'trunk', 'segments', 'metering', 'auto_allocate', 'port_forwarding', 'conntrack_helper'],
      'port_forwarding and conntrack_helper show themselves in floating IPs and routers; the others are always enabled',
    ),
    l3_ha: flag(false, 'routers are highly available unless a request says otherwise'),
    l3_ha_net_cidr: text(
      '169.254.192.0/18',
      "prefix of the subnets on which a project's highly available routers watch each other",
      { prefix: true },
    ),
    l3_ha_network_type: text(
      '',
      'type of the networks of highly available routers; empty: as tenant_network_types says',
    ),
    l3_ha_network_physical_name: text('', 'physical network of the networks of highly available routers; empty: any'),
    router_distributed: flag(false, 'routers are distributed unless a request says otherwise'),
    enable_snat_by_default: flag(true, 'default of enable_snat in external_gateway_info'),
    enable_ndp_proxy_by_default: flag(false, 'default of enable_ndp_proxy of routers whose gateway supports it'),
    allowed_conntrack_helpers: list(
      [
        'amanda:tcp',
        'ftp:tcp',
        'h323:udp',
        'h323:tcp',
        'irc:tcp',
        'netbios-ns:udp',
        'pptp:tcp',
        'sane:tcp',
        'sip:udp',
        'sip:tcp',
        'snmp:udp',
        'tftp:udp',
      ],
      'helper:protocol pairs that conntrack helpers of routers may use',
      { pattern: /^[\w-]{1,64}:(dccp|icmp|ipv6-icmp|sctp|tcp|udp)$/, hint: 'helper:protocol pairs' },
    ),
    max_routes: integer(30, 'maximum number of extra routes per router', 0),
    max_l3_agents_per_router: integer(3, 'number of L3 agents that serve a highly available router; 0: all', 0),
    router_scheduler_driver: text('weight', "how an L3 agent is chosen; Neutron's dotted path is accepted too", {
      choices: ['chance', 'weight', 'az_weight'],
      aliases: {
        'neutron.scheduler.l3_agent_scheduler.ChanceScheduler': 'chance',
        'neutron.scheduler.l3_agent_scheduler.LeastRoutersScheduler': 'weight',
        'neutron.scheduler.l3_agent_scheduler.AZLeastRoutersScheduler': 'az_weight',
      },
    }),
    router_auto_schedule: flag(true, 'when an L3 agent requests its routers, also schedule unserved routers to it'),
    allow_automatic_l3agent_failover: flag(false, 'move routers from a dead L3 agent to live ones'),
    agent_down_time: integer(75, 'seconds without a report after which an agent is considered dead', 1),
    max_dns_nameservers: integer(5, 'maximum number of DNS servers per subnet', 0),
    max_subnet_host_routes: integer(20, 'maximum number of host routes per subnet', 0),
    max_fixed_ips_per_port: integer(0, 'maximum number of fixed IPs per port; 0: unlimited (deprecated in Neutron)', 0),
    max_allowed_address_pair: integer(10, 'maximum number of allowed address pairs per port', 1),
    allow_bulk: flag(true, 'allow bulk creation'),
    pagination_max_limit: text('-1', 'maximum number of resources per page; -1 or infinite: unlimited', {
      pattern: /^(-?\d{1,9}|infinite)$/,
      hint: 'a whole number or infinite',
    }),
    resync_interval: integer(5, 'seconds after which the DHCP agent retries failed networks', 1),
    resync_throttle: integer(1, 'minimum seconds between two full syncs of the DHCP agent', 0),
    num_sync_threads: integer(4, 'number of networks that the DHCP agent processes in parallel', 1, 64),
    interface_driver: text('linuxbridge', "how devices are plugged; Neutron's dotted path is accepted too", {
      choices: ['linuxbridge', 'openvswitch'],
      aliases: {
        'neutron.agent.linux.interface.BridgeInterfaceDriver': 'linuxbridge',
        'neutron.agent.linux.interface.OVSInterfaceDriver': 'openvswitch',
      },
    }),
    ...OVS_DEFAULT,
    dhcp_driver: text('dnsmasq', "DHCP server to run; Neutron's dotted path is accepted too", {
      choices: ['dnsmasq'],
      aliases: { 'neutron.agent.linux.dhcp.Dnsmasq': 'dnsmasq' },
    }),
    dhcp_confs: text('$state_path/dhcp', 'folder for the files of dnsmasq', { path: true }),
    dhcp_broadcast_reply: flag(false, 'send DHCP replies as broadcasts (for InfiniBand)'),
    dnsmasq_config_file: text('', 'configuration file passed to dnsmasq', { path: true }),
    dnsmasq_dns_servers: list([], 'DNS servers that dnsmasq forwards queries to'),
    dnsmasq_base_log_dir: text('', 'folder for the logs of dnsmasq; empty: no logs', { path: true }),
    dnsmasq_local_resolv: flag(false, "let dnsmasq use the host's resolv.conf"),
    dnsmasq_lease_max: integer(16777216, 'maximum number of leases per dnsmasq process', 1),
    dnsmasq_enable_addr6_list: flag(false, 'write one line for all DHCPv6 addresses of a port'),
    dnsmasq_txt_record: text('', 'TXT record that dnsmasq answers: <name>[,<text>...]; commas in a text need quotes', {
      pattern: /^$|^[A-Za-z0-9_][A-Za-z0-9._-]*(,[ -~]*)?$/,
      hint: 'a name, then texts of printable ASCII, separated by commas',
    }),
    dhcp_renewal_time: integer(0, 'renewal time (DHCP option 58) in seconds; 0: not sent', 0),
    dhcp_rebinding_time: integer(0, 'rebinding time (DHCP option 59) in seconds; 0: not sent', 0),
    enable_isolated_metadata: flag(
      false,
      'on networks without a router, announce a route to the metadata service through the DHCP port, and serve it there; ' +
        'default of `up`: true',
    ),
    force_metadata: flag(
      false,
      'the same on all networks; default of `up`: true, unless enable_isolated_metadata is configured',
    ),
    enable_metadata_network: flag(
      false,
      'serve metadata in the name of the router on networks within 169.254.0.0/16, which need enable_isolated_metadata too',
    ),
    bulk_reload_interval: integer(0, 'seconds to collect changes before dnsmasq is reloaded; 0: reload at once', 0),
    ...METADATA,
    ...NOVA_EVENTS,
  },
  agent: {
    l2_driver: text('linuxbridge', 'how the L2 agent connects devices to networks', { choices: ['linuxbridge'] }),
    report_interval: float(30, 'seconds between reports of an agent', 0.1),
    availability_zone: text('nova', 'availability zone of the agent', {
      pattern: /^[^\s,][^,]{0,254}$/,
      hint: 'a name of at most 255 characters without commas',
    }),
  },
  metadata_rate_limiting: METADATA_RATE_LIMITING,
  identity: {
    token_expiration: integer(3600, 'lab: seconds for which a token is valid', 1, 366 * 86400),
    region: text('RegionOne', 'lab: region of the endpoints in the catalogue', {
      pattern: /^[A-Za-z0-9][A-Za-z0-9._-]{0,254}$/,
      hint: 'letters, digits, dot, hyphen and underscore, at most 255',
    }),
    public_endpoint: text('', "lab: base URL of the API in the catalogue; empty: that of each client's request", {
      pattern: /^$|^https?:\/\/[^\s/"'<>]+(\/[^\s"'<>]*[^\s"'<>/])?$/,
      hint: 'a URL such as https://neutrino.example.org:9696, without a slash at its end',
    }),
  },
  keystone_authtoken: KEYSTONE_AUTHTOKEN,
  nova: NOVA,
  oslo_messaging_notifications: NOTIFICATIONS,
  oslo_messaging_rabbit: {
    ssl: flag(false, 'connect with TLS'),
    ssl_ca_file: text('', "CA certificates to verify the broker's with; empty: not verified", { path: true }),
    ssl_cert_file: text('', 'client certificate sent to the broker', { path: true }),
    ssl_key_file: text('', 'private key of ssl_cert_file', { path: true }),
    rabbit_login_method: text('PLAIN', 'login method; EXTERNAL: by client certificate', {
      choices: ['PLAIN', 'AMQPLAIN', 'EXTERNAL'],
    }),
    heartbeat_timeout_threshold: integer(
      60,
      'seconds of silence after which the connection to the broker is considered lost; 0: no heartbeats',
      0,
      3600,
    ),
    rabbit_retry_interval: integer(1, 'seconds before reconnecting; doubled after each failure', 1),
    rabbit_interval_max: integer(30, 'maximum seconds between two connection attempts', 1),
    rabbit_qos_prefetch_count: integer(0, 'messages of a queue processed in parallel; 0: 64', 0, 65535),
    rabbit_transient_queues_ttl: integer(1800, 'seconds after which unused reply and fanout queues are deleted', 1),
    kombu_missing_consumer_retry_timeout: integer(60, 'seconds to retry a reply whose queue does not exist', 0),
    rabbit_quorum_queue: flag(false, 'use quorum queues for topics; must be the same everywhere'),
    amqp_durable_queues: flag(false, 'keep topic queues across restarts of the broker; must be the same everywhere'),
    amqp_auto_delete: flag(false, 'delete topic queues with their last consumer; must be the same everywhere'),
  },
  quotas: {
    default_quota: integer(-1, 'limit of resources without an option of their own; -1: unlimited', -1),
    quota_network: integer(100, 'networks of a project; -1: unlimited', -1),
    quota_subnet: integer(100, 'subnets of a project; -1: unlimited', -1),
    quota_port: integer(500, 'ports of a project; -1: unlimited', -1),
    quota_router: integer(10, 'routers of a project; -1: unlimited', -1),
    quota_floatingip: integer(50, 'floating IPs of a project; -1: unlimited', -1),
    quota_security_group: integer(10, 'security groups of a project; -1: unlimited', -1),
    quota_security_group_rule: integer(100, 'security group rules of a project; -1: unlimited', -1),
    quota_rbac_policy: integer(10, 'RBAC policies of a project; -1: unlimited', -1),
  },
  oslo_policy: {
    policy_file: text(
      'policy.yaml',
      'rules that override the default policy, in YAML or JSON; looked up beside the configuration files. The default, or ' +
        'policy.json, need not exist',
      { lookup: ['policy.yaml', 'policy.json'] },
      { readBy: 'server' },
    ),
    policy_dirs: list(
      ['policy.d'],
      'folders with further such files, read in the order of their names; looked up in the same way',
      { lookup: true },
      { readBy: 'server' },
    ),
    enforce_scope: flag(
      true,
      'tokens must be scoped to a project; false: also those for the whole system or a domain, if their roles suffice',
    ),
    enforce_new_defaults: flag(
      true,
      'readers only read, members change what belongs to their project; false: as Neutron before 2023.2, where every role ' +
        'of a project changes what belongs to it',
    ),
  },
  database: {
    connection: text('', 'database URL, sqlite:////path; empty: neutrino.sqlite under state_path'),
    max_pool_size: integer(
      10,
      'maximum number of connections to MariaDB or MySQL for transactions, and again for other queries (one of these holds the ' +
        'lock of a schema upgrade)',
      2,
      1000,
    ),
    sqlite_synchronous: flag(true, 'sync to disk on every commit (synchronous=FULL)'),
  },
  ml2: {
    type_drivers: list(['local', 'flat', 'vlan', 'vxlan'], 'network types that can be created'),
    tenant_network_types: list(
      ['vxlan'],
      'network types to try, in order, if a request does not specify one',
      {},
      { formerly: ['project_network_types'] },
    ),
    mechanism_drivers: list(
      ['linuxbridge', 'openvswitch'],
      'mechanism drivers; which QoS rules ports and networks may have follows from linuxbridge and openvswitch among them. Ports are ' +
        'bound by the agents that report, whatever is listed',
    ),
    extension_drivers: list(
      ['port_security', 'dns', 'qos', 'uplink_status_propagation'],
      'ML2 extensions; uplink_status_propagation adds propagate_uplink_status to ports, the others are always enabled',
    ),
    path_mtu: integer(0, 'MTU of the path between hosts; 0: global_physnet_mtu', 0),
    physical_network_mtus: list([], 'physnet:mtu pairs', {
      pattern: /^[^:\s]+:\d{1,5}$/,
      hint: 'pairs such as physnet1:9000',
    }),
  },
  ml2_type_flat: { flat_networks: list(['*'], 'physical networks that flat networks may use; *: all') },
  ml2_type_vlan: {
    network_vlan_ranges: list([], 'physnet:min:max ranges of VLAN ids; physnet alone: explicitly requested ids only', {
      pattern: /^[^:\s]+(:\d{1,4}:\d{1,4})?$/,
      hint: 'ranges such as physnet1:100:199',
    }),
  },
  ml2_type_vxlan: {
    vni_ranges: list(['1:16777215'], 'min:max ranges of VXLAN ids', {
      pattern: /^\d{1,8}:\d{1,8}$/,
      hint: 'ranges such as 1:10000',
    }),
  },
  securitygroup: {
    firewall_driver: text(
      'noop',
      "traffic filter of ports: nftables, or noop: no filtering. Neutron's other drivers are accepted with a warning, and act as noop",
      {
        choices: ['noop', 'nftables', 'iptables', 'iptables_hybrid', 'openvswitch'],
        aliases: {
          'neutron.agent.firewall.NoopFirewallDriver': 'noop',
          'neutron.agent.linux.iptables_firewall.IptablesFirewallDriver': 'iptables',
          'neutron.agent.linux.iptables_firewall.OVSHybridIptablesFirewallDriver': 'iptables_hybrid',
          'neutron.agent.linux.openvswitch_firewall.OVSFirewallDriver': 'openvswitch',
        },
      },
    ),
  },
  ovs: OVS,
  linux_bridge: {
    physical_interface_mappings: list([], 'physnet:interface pairs of this host', {
      pattern: /^[^:\s]+:[^:\s]+$/,
      hint: 'pairs such as physnet1:eth1',
    }),
  },
  vxlan: {
    enable_vxlan: flag(true, 'let the L2 agent wire VXLAN networks'),
    local_ip: text('', 'source address of VXLAN packets; empty: VXLAN networks are confined to this host', {
      pattern: /^$|^[0-9a-fA-F.:]{2,39}$/,
      hint: 'an IPv4 or IPv6 address of this host',
    }),
    vxlan_group: text('224.0.0.1', 'multicast group for broadcasts of VXLAN networks between hosts', {
      pattern: /^(22[4-9]|23\d)(\.\d{1,3}){3}$|^[fF]{2}[0-9a-fA-F:]{2,37}$/,
      hint: 'one multicast address such as 224.0.0.1',
    }),
  },
} as const;

type Sections = typeof OPTIONS;

/** The effective values, by section and name: `config.DEFAULT.bind_port`, `config.agent.report_interval`. */
export type Config = {
  readonly [S in keyof Sections]: {
    readonly [N in keyof Sections[S]]: Sections[S][N] extends Option<infer T> ? T : never;
  };
};

/** Any value of an option. */
export type OptionValue = string | number | boolean | readonly string[];

/** An option with its section and name. */
export interface PlacedOption {
  readonly section: string;
  readonly name: string;
  readonly option: Option<OptionValue>;
}

/** Returns all options in the order of the table. */
export function allOptions(): readonly PlacedOption[] {
  return Object.entries(OPTIONS).flatMap(([section, options]) =>
    Object.entries(options as Readonly<Record<string, Option<OptionValue>>>).map(([name, option]) => ({
      section,
      name,
      option,
    })),
  );
}

/**
 * Returns the option with a section and name; undefined if Neutrino has none. As in oslo.config, section names other than
 * DEFAULT are not case-sensitive, and hyphens in option names are read as underscores.
 */
export function findOption(section: string, name: string): PlacedOption | undefined {
  const wantedSection = section === 'DEFAULT' ? section : section.toLowerCase();
  const wantedName = name.replaceAll('-', '_');
  return allOptions().find(
    (one) =>
      one.section === wantedSection && (one.name === wantedName || one.option.formerly?.includes(wantedName) === true),
  );
}

/** Builds a Config from the value that `decide` returns for each option. */
export function buildConfig(decide: (placed: PlacedOption) => OptionValue): Config {
  const sections = Object.entries(OPTIONS).map(([section, options]) => {
    const values = Object.entries(options as Readonly<Record<string, Option<OptionValue>>>).map(
      ([name, option]): [string, OptionValue] => [name, decide({ section, name, option })],
    );
    return [section, Object.fromEntries(values)];
  });
  return Object.fromEntries(sections) as Config;
}

/** Returns all defaults, with `$state_path` filled in. */
export function defaultConfig(): Config {
  const statePath = OPTIONS.DEFAULT.state_path.default;
  return buildConfig(({ option }) => {
    if ('lookup' in option.type) return nothingOf(option.type);
    return typeof option.default === 'string' ? option.default.replace('$state_path', statePath) : option.default;
  });
}
