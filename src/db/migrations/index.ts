import { initial } from './0001-initial.ts';
import { workClaims } from './0002-work-claims.ts';
import { outboxByNetwork } from './0003-outbox-by-network.ts';
import { outboxOrderingKey } from './0004-outbox-ordering-key.ts';
import { addressScopes } from './0005-address-scopes.ts';
import { labIdentity } from './0006-lab-identity.ts';
import { rbacAndQuotas } from './0007-rbac-and-quotas.ts';
import { securityGroupRules } from './0008-security-group-rules.ts';
import { subnetPools } from './0009-subnet-pools.ts';
import { routers } from './0010-routers.ts';
import { qosAndMetering } from './0012-qos-and-metering.ts';
import { trunks } from './0013-trunks.ts';
import { externalAccess } from './0014-external-access.ts';
import { floatingIps } from './0015-floating-ips.ts';
import { portDeviceProfiles } from './0015-port-device-profiles.ts';
import { defaultExternalNetwork } from './0016-default-external-network.ts';
import { applicationCredentials } from './0017-application-credentials.ts';
import { novaEvents } from './0018-nova-events.ts';
import { haRouters } from './0019-ha-routers.ts';
import { machines } from './0020-machines.ts';
import { segmentHosts } from './0021-segment-hosts.ts';
import { notifications } from './0022-notifications.ts';
import type { Migration } from './migration.ts';

/** All steps in order. A step that has landed is never changed; a new one is added. */
export const MIGRATIONS: readonly Migration[] = [
  initial,
  workClaims,
  outboxByNetwork,
  outboxOrderingKey,
  addressScopes,
  labIdentity,
  rbacAndQuotas,
  securityGroupRules,
  subnetPools,
  routers,
  qosAndMetering,
  trunks,
  externalAccess,
  portDeviceProfiles,
  floatingIps,
  defaultExternalNetwork,
  applicationCredentials,
  novaEvents,
  haRouters,
  machines,
  segmentHosts,
  notifications,
];
