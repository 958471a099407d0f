import { ADDRESS_GROUP_ERRORS } from './address-groups.ts';
import { ADDRESS_SCOPE_ERRORS } from './address-scopes.ts';
import { AGENT_ERRORS } from './agents.ts';
import { FLAVOR_ERRORS } from './flavors.ts';
import { FLOATING_IP_ERRORS } from './floating-ips.ts';
import { MACHINE_ERRORS } from './machines.ts';
import { METERING_ERRORS } from './metering.ts';
import { NDP_PROXY_ERRORS } from './ndp-proxies.ts';
import { NETWORK_ERRORS } from './networks.ts';
import { PORT_BINDING_ERRORS } from './port-bindings.ts';
import { PORT_FORWARDING_ERRORS } from './port-forwardings.ts';
import { PORT_ERRORS } from './ports.ts';
import { QOS_ERRORS } from './qos.ts';
import { QUOTA_ERRORS } from './quotas.ts';
import { RBAC_POLICY_ERRORS } from './rbac-policies.ts';
import { REQUEST_ERRORS } from './requests.ts';
import { ROUTER_ERRORS } from './routers.ts';
import { SECURITY_GROUP_ERRORS } from './security-groups.ts';
import { SEGMENT_ERRORS } from './segments.ts';
import { SUBNETPOOL_ERRORS } from './subnetpools.ts';
import { SUBNET_ERRORS } from './subnets.ts';
import { TRUNK_ERRORS } from './trunks.ts';

/** All errors that the API returns; each room of resources has a file. A type stands in one file only. */
export const ERRORS = {
  ...ADDRESS_GROUP_ERRORS,
  ...ADDRESS_SCOPE_ERRORS,
  ...AGENT_ERRORS,
  ...FLAVOR_ERRORS,
  ...FLOATING_IP_ERRORS,
  ...MACHINE_ERRORS,
  ...METERING_ERRORS,
  ...NDP_PROXY_ERRORS,
  ...NETWORK_ERRORS,
  ...PORT_BINDING_ERRORS,
  ...PORT_FORWARDING_ERRORS,
  ...PORT_ERRORS,
  ...QOS_ERRORS,
  ...QUOTA_ERRORS,
  ...RBAC_POLICY_ERRORS,
  ...REQUEST_ERRORS,
  ...ROUTER_ERRORS,
  ...SECURITY_GROUP_ERRORS,
  ...SEGMENT_ERRORS,
  ...SUBNETPOOL_ERRORS,
  ...SUBNET_ERRORS,
  ...TRUNK_ERRORS,
};
