/**
 * Rules of Neutron (Neutron: Policy Reference) about what Neutrino does not serve, so that a policy file of stock Neutron can be
 * kept: they are accepted with a warning.
 */
const UNSERVED: readonly RegExp[] = [
  /^(create|get|update|delete)_(local_ip|local_ip_port_association|log|loggable_resource|network_segment_range)(:.+)?$/,
  // The names that tags had before; they matched nothing (CVE-2024-53916).
  /^(create|get|update|delete)_[a-z_]+s_tags$/,
  /^create_[a-z_]+:tags$/,
  /^get_network:router:external$/,
  /^(create|get|update)_port:(hints|trusted|data_plane_status)$/,
  /^(create|update)_router:enable_default_route_(bfd|ecmp)$/,
  /^(add|update|remove)_external_gateways(:.+)?$/,
  /^(create|update)_rbac_policy:target_project$/,
  /^(create_agent|update_l3-router|activate|context_with_global_access|external_network|rule_default_sg)$/,
];

/** Returns whether a rule is one of Neutron's that have no effect in Neutrino. */
export const isUnservedRule = (name: string): boolean =>
  name.length <= 200 && UNSERVED.some((pattern) => pattern.test(name));
