import { randomUUID } from 'node:crypto';

/** Returns arguments of `port_create_end` with a typical port document and `padding` additional characters. */
export function portArguments(padding: number): { readonly port: Readonly<Record<string, unknown>> } {
  const [id, network, subnet, group] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()];
  return {
    port: {
      id,
      name: '',
      network_id: network,
      tenant_id: 'fake_project_id',
      project_id: 'fake_project_id',
      mac_address: 'fa:16:3e:5c:6b:7a',
      admin_state_up: true,
      status: 'DOWN',
      device_id: '8671c14e-9ee4-4338-bcc5-8a5f0ea6e1d5',
      device_owner: 'compute:nova',
      fixed_ips: [{ subnet_id: subnet, ip_address: '10.11.12.13' }],
      security_groups: [group],
      port_security_enabled: true,
      allowed_address_pairs: [],
      extra_dhcp_opts: [],
      'binding:host_id': 'compute1',
      'binding:vnic_type': 'normal',
      'binding:vif_type': 'bridge',
      'binding:vif_details': { connectivity: 'l2', port_filter: true, bound_drivers: { '0': 'linuxbridge' } },
      'binding:profile': {},
      dns_name: '',
      dns_assignment: [
        { ip_address: '10.11.12.13', hostname: 'host-10-11-12-13', fqdn: 'host-10-11-12-13.openstacklocal.' },
      ],
      description: 'x'.repeat(padding),
      tags: [],
      revision_number: 1,
      created_at: '2026-01-31T12:00:00Z',
      updated_at: '2026-01-31T12:00:00Z',
    },
  };
}
