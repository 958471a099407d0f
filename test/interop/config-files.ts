import type { Ini } from '../support/ini.ts';

/** Seconds between reports of agents, and until an agent without reports is considered dead. */
const REPORT_SECONDS = 4;
export const DOWN_SECONDS = 20;

/** Returns neutron.conf of all processes on a host, stock and Neutrino's. */
export function neutronConf(facts: {
  readonly host: string;
  readonly transportUrl: string;
  readonly statePath: string;
}): Ini {
  return {
    DEFAULT: {
      host: facts.host,
      transport_url: facts.transportUrl,
      state_path: facts.statePath,
      auth_strategy: 'noauth',
      core_plugin: 'ml2',
      agent_down_time: DOWN_SECONDS,
      rpc_response_timeout: 30,
      global_physnet_mtu: 1500,
      debug: true,
      // The log messages of libraries are not useful here.
      default_log_levels:
        'amqp=WARN,amqplib=WARN,oslo.messaging=INFO,oslo_messaging=INFO,sqlalchemy=WARN,stevedore=WARN',
    },
    // The agents run as root and do not need sudo.
    agent: { report_interval: REPORT_SECONDS, root_helper: 'env', root_helper_daemon: '' },
    oslo_concurrency: { lock_path: `${facts.statePath}/lock` },
  };
}

/** Additional options of a server: ML2 with linuxbridge agents, VXLAN networks. */
export function serverConf(facts: { readonly database: string; readonly bindHost: string }): Ini {
  return {
    DEFAULT: {
      bind_host: facts.bindHost,
      bind_port: 9696,
      service_plugins: 'router',
      api_workers: 1,
      rpc_workers: 1,
      rpc_state_report_workers: 1,
      notify_nova_on_port_status_changes: false,
      notify_nova_on_port_data_changes: false,
    },
    database: { connection: facts.database, max_pool_size: 10 },
    ml2: {
      type_drivers: 'flat,vlan,vxlan,local',
      tenant_network_types: 'vxlan',
      mechanism_drivers: 'linuxbridge',
      extension_drivers: 'port_security,dns',
    },
    ml2_type_vxlan: { vni_ranges: '1:10000' },
    securitygroup: { enable_security_group: true, firewall_driver: 'iptables' },
    experimental: { linuxbridge: true },
  };
}

/** dhcp_agent.ini */
export function dhcpAgentIni(): Ini {
  return {
    DEFAULT: {
      interface_driver: 'linuxbridge',
      resync_interval: 5,
      enable_isolated_metadata: false,
    },
    // dnsmasq 2.90 of Debian 12 crashes on a reload after it has served a host with a tag; a stock agent reloads nevertheless.
    agent: { check_child_processes_interval: 1 },
  };
}

/** linuxbridge_agent.ini */
export function linuxbridgeAgentIni(facts: { readonly localIp: string }): Ini {
  return {
    vxlan: { enable_vxlan: true, local_ip: facts.localIp, vxlan_group: '224.0.0.1' },
    securitygroup: { enable_security_group: false, firewall_driver: 'noop' },
    agent: { polling_interval: 1 },
  };
}

/** Key of the signatures that metadata agents send to Nova. */
export const METADATA_SECRET = 'metadata-secret';

/** metadata_agent.ini */
export function metadataAgentIni(facts: { readonly nova: string; readonly port: number }): Ini {
  return {
    DEFAULT: {
      nova_metadata_host: facts.nova,
      nova_metadata_port: facts.port,
      metadata_proxy_shared_secret: METADATA_SECRET,
      metadata_workers: 1,
    },
  };
}
