import { editDistance } from './nearest.ts';
import { allOptions, type PlacedOption } from './options.ts';

const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));

/**
 * Names of the options of Neutron and its libraries (neutron.conf, ml2_conf.ini, dhcp_agent.ini, linuxbridge_agent.ini and the
 * other agents' files, Zed to 2026). They distinguish lines of stock files from misspelled ones.
 */
const NAMES: Readonly<Record<string, ReadonlySet<string>>> = {
  DEFAULT: words(`
    advertise_mtu advertise_ra agent_mode
    allow_overlapping_ips allow_pagination allow_sorting api_extensions_path
    api_paste_config api_workers_max_requests arp_responder backdoor_port backdoor_socket
    backlog bind_ip cache_url client_socket_timeout conn_pool_min_size conn_pool_ttl core_plugin
    default_log_levels default_notification_exchange dhcp_domain dhcp_lease_time
    dhcp_load_type dnsmasq_dns_server dvr_base_mac edns_client_fingerprint enable_dvr enable_dvr_address_scope
    enable_metadata_proxy enable_router_advertisements
    enable_set_route_for_single_port
    enable_traditional_dhcp executor_thread_pool_size external_dns_driver external_ingress_mark
    fatal_deprecations filter_validation gateway_external_network_id graceful_shutdown_timeout ha_confs_path
    ha_keepalived_state_change_server_threads ha_network_name ha_vrrp_advert_int ha_vrrp_auth_password
    ha_vrrp_auth_type ha_vrrp_health_check_interval handle_internal_only_routers host_dvr_for_dhcp
    instance_format instance_uuid_format ipam_driver keepalived_use_no_track kernel_hz
    keystone_endpoint log_config_append
    log_date_format log_dir log_file log_options log_rotate_interval log_rotate_interval_type log_rotation_type
    logging_context_format_string logging_debug_format_suffix logging_default_format_string logging_exception_prefix
    logging_user_identity_format max_header_line max_logfile_count max_logfile_size_mb
    max_rtr_adv_interval metadata_access_mark metadata_port metadata_workers min_l3_agents_per_router
    min_rtr_adv_interval mtu_discovery my_ip my_ipv6 netns_resolvconf
    netns_resolvconf_nameservers netns_resolvconf_options netns_resolvconf_search network_device_mtu
    network_link_prefix notification_driver notification_topics nova_region_name nova_url
    ovs_integration_bridge ovs_vsctl_timeout pd_confs pd_dhcp_driver periodic_fuzzy_delay
    periodic_interval prefix_delegation_driver publish_errors pure_unix_socket ra_confs rate_limit_burst
    rate_limit_except_level rate_limit_interval report_interval retry_until_window root_helper
    router_delete_namespaces router_id rpc_conn_pool_size
    rpc_ping_enabled rpc_resources_processing_step rpc_response_max_timeout
    rpc_state_report_workers rpc_workers run_external_periodic_tasks send_arp_for_ha
    setproctitle ssl_ca_file ssl_cert_file ssl_key_file syslog_log_facility tcp_keepidle
    use_eventlog use_journal use_json use_ssl use_stderr use_syslog vendor_pen verbose vlan_qinq
    vlan_transparent watch_log_file wsgi_default_pool_size wsgi_keep_alive wsgi_log_format wsgi_server_debug`),
  agent: words(`
    agent_type arp_responder baremetal_smartnic bridge_mac_table_size check_child_processes
    check_child_processes_action check_child_processes_interval comment_iptables_rules
    debug_iptables_rules dont_fragment drop_flows_on_start enable_distributed_routing explicitly_egress_direct
    extensions kill_scripts_path l2_population local_ip log_agent_heartbeats metadata_flows_table
    minimize_polling openflow_processed_per_port ovsdb_monitor_respawn_interval polling_interval
    prevent_arp_spoofing quitting_rpc_timeout root_helper root_helper_daemon scheduling_disabled
    tunnel_csum tunnel_types use_helper_for_ns_read use_random_fully veth_mtu vxlan_udp_port
    dscp dscp_inherit`),
  database: words(`
    backend connection_debug connection_parameters connection_recycle_time connection_trace db_inc_retry_interval
    db_max_retries db_max_retry_interval db_retry_interval engine idle_timeout max_overflow max_retries
    min_pool_size mysql_enable_ndb mysql_sql_mode mysql_wsrep_sync_wait pool_timeout retry_interval slave_connection
    sqlite_db synchronous_reader use_db_reconnect use_tpool`),
  keystone_authtoken: words(`
    admin_password admin_tenant_name admin_token admin_user auth_admin_prefix auth_host auth_port auth_protocol
    auth_section auth_version cache check_revocations_for_cached collect_timing default_domain_id
    default_domain_name delay_auth_decision domain_id domain_name enforce_token_bind hash_algorithms
    include_service_catalog memcache_password memcache_pool_conn_get_timeout memcache_pool_dead_retry
    memcache_pool_maxsize memcache_pool_socket_timeout memcache_pool_unused_timeout memcache_sasl_enabled
    memcache_secret_key memcache_security_strategy memcache_servers memcache_tls_allowed_ciphers
    memcache_tls_cafile memcache_tls_certfile memcache_tls_enabled memcache_tls_keyfile memcache_use_advanced_pool
    memcache_username memcached_servers revocation_cache_time service_type signing_dir split_loggers system_scope
    timeout trust_id`),
  nova: words(`
    auth_section collect_timing connect_retries connect_retry_delay default_domain_id default_domain_name domain_id
    domain_name live_migration_events service_name service_type split_loggers status_code_retries
    status_code_retry_delay system_scope trust_id`),
  oslo_messaging_notifications: words('retry'),
  oslo_messaging_rabbit: words(`
    amqp_auto_delete_queues conn_pool_min_size conn_pool_ttl direct_mandatory_flag enable_cancel_on_failover
    fake_rabbit fanout_queue_prefix heartbeat_in_pthread heartbeat_rate hostname kombu_compression
    kombu_failover_strategy kombu_max_retries kombu_reconnect_delay kombu_reconnect_splay kombu_ssl_ca_certs
    kombu_ssl_certfile kombu_ssl_keyfile kombu_ssl_version max_retries notification_persistence processname
    rabbit_ha_queues rabbit_host rabbit_hosts rabbit_interval_min rabbit_max_retries rabbit_password rabbit_port
    rabbit_quorum_delivery_limit rabbit_quorum_max_memory_bytes rabbit_quorum_max_memory_length
    rabbit_retry_backoff rabbit_stream_fanout rabbit_transient_quorum_queue rabbit_use_ssl rabbit_userid
    rabbit_virtual_host rpc_conn_pool_size socket_timeout ssl_enforce_fips_mode ssl_version tcp_user_timeout
    use_queue_manager virtual_host`),
  oslo_policy: words(`
    policy_default_rule remote_content_type remote_ssl_ca_crt_file
    remote_ssl_client_crt_file remote_ssl_client_key_file remote_ssl_verify_server_crt remote_timeout`),
  ml2: words(`
    external_network_type overlay_ip_version segment_mtu
    tunnelled_network_rp_name`),
  ml2_type_vxlan: words('vxlan_group'),
  securitygroup: words('enable_ipset enable_security_group permitted_ethertypes'),
  linux_bridge: words('bridge_mappings'),
  ovs: words(`
    bridge_mac_table_size bridge_mappings datapath_type disable_packet_marking enable_tunneling igmp_flood
    igmp_flood_reports igmp_flood_unregistered igmp_snooping_enable int_peer_patch_port local_ip of_connect_timeout
    of_inactivity_probe of_interface of_listen_address of_listen_port of_request_timeout openflow_processed_per_port
    ovsdb_debug ovsdb_interface ovsdb_monitor_respawn_interval qos_meter_bandwidth resource_provider_bandwidths
    resource_provider_default_hypervisor resource_provider_hypervisors resource_provider_inventory_defaults
    resource_provider_packet_processing_inventory_defaults resource_provider_packet_processing_with_direction
    resource_provider_packet_processing_without_direction ssl_ca_cert_file ssl_cert_file ssl_key_file
    tun_peer_patch_port tunnel_bridge use_veth_interconnection veth_mtu vhostuser_socket_dir vsctl_timeout`),
  vxlan: words('arp_responder l2_population multicast_ranges tos ttl udp_dstport udp_srcport_max udp_srcport_min'),
};

/** Sections of which Neutrino uses nothing; any name in them passes as Neutron's. */
const SECTIONS = words(`
  auth_extra barbican bgp cache cli_script cors cors.subdomain designate dhcp_rate_limiting evpn experimental fdb
  healthcheck ironic key_manager l3_agent local_ip macvtap metering
  ml2_odl ml2_sriov ml2_type_geneve ml2_type_gre network_log network_segment_range nova_sys_admin octavia
  oslo_concurrency oslo_limit oslo_messaging_amqp oslo_messaging_kafka oslo_messaging_metrics
  oslo_messaging_zmq oslo_middleware oslo_reports
  oslo_versionedobjects ovn ovn_agent ovn_nb_global ovs_driver ovsdb_connection placement privsep
  privsep_conntrack privsep_dhcp_release privsep_link privsep_namespace privsep_ovs_vsctl profiler profiler_jaeger
  profiler_otlp pvlan qos quota service_auth service_providers service_user sriov_driver
  sriov_nic ssl vrrp wsgi`);

/** Whether an option that Neutrino does not have (see `findOption`) is one of Neutron's. */
export function isNeutronOption(section: string, name: string): boolean {
  const group = section === 'DEFAULT' ? section : section.toLowerCase();
  return SECTIONS.has(group) || NAMES[group]?.has(name.replaceAll('-', '_')) === true;
}

/** The option whose name is within two typing errors of `name`, preferring its own section. */
export function nearestOption(section: string, name: string): PlacedOption | undefined {
  const wanted = name.toLowerCase().replaceAll('-', '_');
  const ranked = allOptions()
    .map((placed) => ({
      placed,
      distance: editDistance(wanted, placed.name) + (placed.section.toLowerCase() === section.toLowerCase() ? 0 : 0.5),
    }))
    .filter(({ distance }) => distance <= 2.5 && distance < wanted.length / 2)
    .sort((a, b) => a.distance - b.distance);
  return ranked[0]?.placed;
}
