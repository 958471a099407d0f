/**
 * The default policy in the language of oslo.policy (oslo.policy: Policy Syntax; Neutron: Policy Reference). Declarations name
 * these rules; `src/auth/policy.ts` evaluates them.
 */

/** Rules that other rules refer to as `rule:NAME`. */
export const BASE_RULES = {
  context_is_admin: 'role:admin',
  context_is_advsvc: 'role:advsvc',
  service_api: 'role:service',
  admin_only: 'rule:context_is_admin',
  owner: 'tenant_id:%(tenant_id)s',
  admin_or_owner: 'rule:context_is_admin or rule:owner',
  regular_user: '',
  network_owner: 'tenant_id:%(network:tenant_id)s',
  admin_or_network_owner: 'rule:context_is_admin or rule:network_owner',
  admin_owner_or_network_owner: 'rule:owner or rule:admin_or_network_owner',
  ext_parent_owner: 'tenant_id:%(ext_parent:tenant_id)s',
  admin_or_ext_parent_owner: 'rule:context_is_admin or rule:ext_parent_owner',
  sg_owner: 'tenant_id:%(security_group:tenant_id)s',
  admin_or_sg_owner: 'rule:context_is_admin or rule:sg_owner',
  admin_owner_or_sg_owner: 'rule:owner or rule:admin_or_sg_owner',
  shared: 'field:networks:shared=True',
  shared_subnetpools: 'field:subnetpools:shared=True',
  shared_address_scopes: 'field:address_scopes:shared=True',
  shared_address_groups: 'field:address_groups:shared=True',
  shared_security_group: 'field:security_groups:shared=True',
  shared_qos_policy: 'field:policies:shared=True',
  external: 'field:networks:router:external=True',
  network_device: 'field:port:device_owner=~^network:',
  admin_or_data_plane_int: 'rule:context_is_admin or role:data_plane_integrator',
  restrict_wildcard:
    '(not field:rbac_policy:target_tenant=* and not field:rbac_policy:target_project=*) or rule:admin_only',
  default: 'rule:admin_or_owner',
} as const satisfies Readonly<Record<string, string>>;

/** What an action requires. */
export interface DefaultRule {
  /** The rule of newer Neutron, which distinguishes readers, members, managers and services (`enforce_new_defaults = true`). */
  readonly text: string;
  /** All that suffices in Neutron Zed with `enforce_new_defaults = false`. */
  readonly legacy: string;
}

const ADMIN = 'rule:admin_only';
const MEMBER = 'role:member and project_id:%(project_id)s';
const MANAGER = 'role:manager and project_id:%(project_id)s';
const READER = 'role:reader and project_id:%(project_id)s';
const SERVICE = 'rule:service_api or rule:context_is_advsvc';
const NETWORK_MEMBER = 'role:member and rule:network_owner';
const NETWORK_READER = 'role:reader and rule:network_owner';

const rule = (text: string, legacy = text): DefaultRule => ({ text, legacy });

/** The rules that declarations name. */
export const POLICY_RULES = {
  /** Everybody who is authenticated. */
  anybody: rule('', 'rule:regular_user'),
  admin: rule(ADMIN),
  /** Members change what belongs to their project. */
  owner: rule(`${ADMIN} or ${MEMBER}`, 'rule:admin_or_owner'),
  /** Neutron's rule `default`, for attributes that it protects without a rule of their own. */
  anyOwner: rule('rule:admin_or_owner'),
  /** Members create resources in their project. */
  creator: rule(`${ADMIN} or ${MEMBER}`, 'rule:regular_user'),
  /** Readers see what belongs to their project. */
  reader: rule(`${ADMIN} or ${READER}`, 'rule:admin_or_owner'),
  /** Managers read what belongs to their project, and before that only administrators. */
  managerReader: rule(`${ADMIN} or ${MANAGER}`, ADMIN),
  /** Managers change what belongs to their project, and before that only administrators. */
  manager: rule(`${ADMIN} or ${MANAGER}`, ADMIN),
  parentManager: rule(`${ADMIN} or ${MANAGER} or role:manager and rule:ext_parent_owner`, ADMIN),
  /** Readers, and before that everybody. */
  anyReader: rule(`${ADMIN} or ${READER}`, 'rule:regular_user'),
  /** Administrators, and before that everybody. */
  adminOrAnybody: rule(ADMIN, 'rule:regular_user'),
  /** Readers of any project: resources that belong to nobody. */
  publicReader: rule(`${ADMIN} or role:reader`, 'rule:regular_user'),
  // With the older rules the newer ones hold too: members may even if the parent is not theirs, which they then do not find.
  parentOwner: rule(
    `${ADMIN} or ${MEMBER} or role:member and rule:ext_parent_owner`,
    `rule:admin_or_ext_parent_owner or ${MEMBER}`,
  ),
  parentReader: rule(
    `${ADMIN} or ${READER} or role:reader and rule:ext_parent_owner`,
    `rule:admin_or_ext_parent_owner or ${READER}`,
  ),
  networkReader: rule(
    `${ADMIN} or ${READER} or rule:shared or rule:external or ${SERVICE}`,
    'rule:admin_or_owner or rule:shared or rule:external or rule:context_is_advsvc',
  ),
  subnetCreator: rule(`${ADMIN} or ${NETWORK_MEMBER}`, `rule:admin_or_network_owner or ${MEMBER}`),
  subnetOwner: rule(`${ADMIN} or ${MEMBER} or ${NETWORK_MEMBER}`, `rule:admin_or_network_owner or ${MEMBER}`),
  subnetReader: rule(
    `${ADMIN} or ${SERVICE} or ${READER} or ${NETWORK_READER} or rule:shared`,
    'rule:admin_or_owner or rule:shared',
  ),
  /** Members, on networks that they own or share. */
  portCreator: rule(`${ADMIN} or ${SERVICE} or ${MEMBER}`, 'rule:regular_user'),
  portReader: rule(
    `${ADMIN} or ${SERVICE} or ${READER} or ${NETWORK_READER}`,
    'rule:context_is_advsvc or rule:admin_owner_or_network_owner',
  ),
  portOwner: rule(`${ADMIN} or ${SERVICE} or ${MEMBER}`, 'rule:admin_or_owner or rule:context_is_advsvc'),
  portDeleter: rule(
    `${ADMIN} or ${SERVICE} or ${MEMBER} or ${NETWORK_MEMBER}`,
    'rule:context_is_advsvc or rule:admin_owner_or_network_owner',
  ),
  networkOwner: rule(`${ADMIN} or ${NETWORK_MEMBER}`, 'rule:admin_or_network_owner'),
  networkOwnerOrService: rule(
    `${ADMIN} or ${SERVICE} or ${NETWORK_MEMBER}`,
    'rule:context_is_advsvc or rule:admin_or_network_owner',
  ),
  networkUser: rule(
    `${ADMIN} or ${SERVICE} or ${NETWORK_MEMBER} or role:member and rule:shared`,
    'rule:context_is_advsvc or rule:admin_or_network_owner or rule:shared',
  ),
  deviceOwner: rule(
    `not rule:network_device or ${ADMIN} or ${SERVICE} or ${NETWORK_MEMBER}`,
    'not rule:network_device or rule:context_is_advsvc or rule:admin_or_network_owner',
  ),
  /** Those who change the MAC address of a port: it may be the key to what others let in. */
  macAddress: rule(
    `${ADMIN} or ${SERVICE} or role:manager and rule:network_owner`,
    'rule:admin_only or rule:context_is_advsvc',
  ),
  addressPairs: rule(`${ADMIN} or ${SERVICE} or ${NETWORK_MEMBER}`, 'rule:admin_or_network_owner'),
  adminOrService: rule(`${ADMIN} or ${SERVICE}`, 'rule:admin_only or rule:context_is_advsvc'),
  /** Administrators and services, and before that only administrators. */
  service: rule(`${ADMIN} or ${SERVICE}`, ADMIN),
  /** Tags of what belongs to the project. */
  tagger: rule(`${ADMIN} or ${SERVICE} or ${MEMBER}`, 'rule:admin_or_owner or rule:context_is_advsvc'),
  /** Tags of what belongs to the project, or lies on its network. */
  networkTagger: rule(
    `${ADMIN} or ${SERVICE} or ${MEMBER} or ${NETWORK_MEMBER}`,
    'rule:admin_owner_or_network_owner or rule:context_is_advsvc',
  ),
  dataPlane: rule(`${ADMIN} or role:data_plane_integrator`, 'rule:admin_or_data_plane_int'),
  groupRuleReader: rule(`${ADMIN} or ${READER} or role:reader and rule:sg_owner`, 'rule:admin_owner_or_sg_owner'),
  poolReader: rule(
    `${ADMIN} or ${READER} or rule:shared_subnetpools`,
    'rule:admin_or_owner or rule:shared_subnetpools',
  ),
  scopeReader: rule(
    `${ADMIN} or ${READER} or rule:shared_address_scopes`,
    'rule:admin_or_owner or rule:shared_address_scopes',
  ),
  addressGroupReader: rule(
    `${ADMIN} or ${READER} or rule:shared_address_groups`,
    'rule:admin_or_owner or rule:shared_address_groups',
  ),
  groupReader: rule(`${ADMIN} or ${READER} or rule:shared_security_group`, 'rule:regular_user'),
  bindingUser: rule(`${ADMIN} or ${SERVICE}`, 'rule:admin_or_owner or rule:context_is_advsvc'),
  meteringReader: rule(`${ADMIN} or ${READER}`),
  qosReader: rule(`${ADMIN} or ${READER} or rule:shared_qos_policy`, 'rule:regular_user'),
  notWildcard: rule(
    `${ADMIN} or (not field:rbac_policy:target_tenant=* and not field:rbac_policy:target_project=*)`,
    'rule:restrict_wildcard',
  ),
  ownerNotWildcard: rule(
    `${ADMIN} or (${MEMBER} and not field:rbac_policy:target_tenant=* and not field:rbac_policy:target_project=*)`,
    'rule:restrict_wildcard and rule:admin_or_owner',
  ),
} as const satisfies Readonly<Record<string, DefaultRule>>;

/** The name of a rule of the default policy. */
export type PolicyRule = keyof typeof POLICY_RULES;
