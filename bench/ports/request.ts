/** The request of nova-compute for a NIC of a new machine, which all sections measure. */
export function requestOfTheDay(networkId: string, securityGroupId: string): Readonly<Record<string, unknown>> {
  return {
    'binding:host_id': 'compute1',
    admin_state_up: true,
    network_id: networkId,
    tenant_id: 'fake_project_id',
    device_owner: 'compute:nova',
    security_groups: [securityGroupId],
    device_id: '8671c14e-9ee4-4338-bcc5-8a5f0ea6e1d5',
  };
}
