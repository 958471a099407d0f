import type { Trx } from '../../db/database.ts';
import type { AddressAllocator } from '../../ipam/allocate.ts';
import { randomMac } from '../../ipam/mac.ts';
import type { UpdateOf } from '../../resources/attribute.ts';
import { neutronError } from '../../resources/errors.ts';
import type { PORT } from '../../resources/port.ts';
import type { WantedFixedIp } from '../../resources/port-types.ts';
import type { FixedIp } from '../../rpc/documents.ts';
import { EVENTS } from '../../rpc/events.ts';
import { DHCP_AGENTS } from '../../scheduler/agent-kinds.ts';
import { livingL2Agent } from '../../scheduler/l2-agents.ts';
import { isScheduled } from '../../scheduler/serving.ts';
import type { Core, Document } from '../core.ts';
import { enqueueNotification } from '../events.ts';
import { addBlocks, blocksFor, isBound } from '../provisioning.ts';
import { bumpRevision, requireRevision } from '../standard-attributes.ts';
import { bindPort } from './binding.ts';
import { hasDhcpAddress } from './create.ts';
import { dnsAssignment, type PortParts, portDocument, portParts } from './documents.ts';
import { takeWanted } from './fixed-ips.ts';
import { type NetworkFacts, networkFacts } from './network-facts.ts';
import { insertAddressPairs, insertDhcpOpts, insertSecurityGroups, setDnsName, setNumaPolicy } from './rows.ts';
import { isNetworkDevice, requireSecurityGroups } from './security.ts';
import { changedDhcpOpts, checkFixedIpCount, dnsNameInForce, refuseQos, resolvedPairs } from './values.ts';

export type PortUpdate = UpdateOf<typeof PORT>;

interface Updating {
  readonly trx: Trx;
  readonly core: Core;
  readonly allocator: AddressAllocator;
  readonly network: NetworkFacts;
  readonly before: PortParts;
  readonly changes: PortUpdate;
  readonly mac: string;
}

/** What DHCP agents act on: a change of anything else is not told to them. */
const dhcpSubstance = (parts: PortParts, dnsDomain: string): string =>
  JSON.stringify([
    parts.fixed_ips,
    parts.mac_address,
    parts.extra_dhcp_opts,
    dnsAssignment(parts.dns_name, parts.fixed_ips, dnsDomain),
    parts.admin_state_up,
    parts.device_owner,
    parts.device_id,
    parts.host,
  ]);

/** What L2 agents act on. */
const l2Substance = (parts: PortParts): string =>
  JSON.stringify([
    parts.fixed_ips,
    parts.mac_address,
    parts.admin_state_up,
    parts.security_groups,
    parts.allowed_address_pairs,
    parts.port_security_enabled,
    parts.host,
    parts.vif_type,
  ]);

async function changeMac(updating: Updating): Promise<void> {
  const { trx, before, mac } = updating;
  if (mac === before.mac_address) return;
  if (isBound(before.vif_type))
    throw neutronError('PortBound', { id: before.id, vif: before.vif_type, old: before.mac_address, new: mac });
  const other = await trx
    .selectFrom('ports')
    .select('id')
    .where('network_id', '=', before.network_id)
    .where('mac_address', '=', mac)
    .executeTakeFirst();
  if (other) throw neutronError('MacAddressInUse', { network: before.network_id, mac });
  await trx.updateTable('ports').set({ mac_address: mac }).where('id', '=', before.id).execute();
}

/** Splits what is wanted into addresses that the port has already and those that are new; what is left over goes. */
function matchFixedIps(
  current: readonly FixedIp[],
  wanted: readonly WantedFixedIp[],
): { readonly kept: readonly FixedIp[]; readonly fresh: readonly WantedFixedIp[] } {
  const left = [...current];
  const kept: FixedIp[] = [];
  const take = (fits: (ip: FixedIp) => boolean): boolean => {
    const at = left.findIndex(fits);
    if (at >= 0) kept.push(...left.splice(at, 1));
    return at >= 0;
  };
  const named = wanted.filter((w) => w.ip_address !== undefined);
  const bySubnet = wanted.filter((w) => w.ip_address === undefined);
  const fresh = [
    ...named.filter(
      (w) =>
        !take((ip) => ip.ip_address === w.ip_address && (w.subnet_id === undefined || ip.subnet_id === w.subnet_id)),
    ),
    // An entry that names only a subnet is content with an address that the port has there.
    ...bySubnet.filter((w) => w.subnet_id === undefined || !take((ip) => ip.subnet_id === w.subnet_id)),
  ];
  return { kept, fresh };
}

async function changeFixedIps({ trx, core, allocator, network, before, changes, mac }: Updating): Promise<void> {
  const wanted = changes.fixed_ips;
  if (!wanted) return;
  const deviceOwner = changes.device_owner ?? before.device_owner;
  checkFixedIpCount(core.config, wanted, isNetworkDevice(deviceOwner));
  const { kept, fresh } = matchFixedIps(before.fixed_ips, wanted);
  const gone = before.fixed_ips.filter((ip) => !kept.includes(ip));
  for (const { subnet_id, ip_address } of gone)
    await trx
      .deleteFrom('ipallocations')
      .where('port_id', '=', before.id)
      .where('subnet_id', '=', subnet_id)
      .where('ip_address', '=', ip_address)
      .execute();
  await takeWanted(trx, allocator, network, { id: before.id, mac, deviceOwner }, fresh);
}

async function changeSecurity({ trx, core, before, changes, mac }: Updating): Promise<void> {
  const enabled = changes.port_security_enabled ?? before.port_security_enabled;
  const groups = changes.security_groups ? [...new Set(changes.security_groups)].sort() : before.security_groups;
  if (!enabled && groups.length > 0)
    throw neutronError(
      changes.security_groups ? 'PortSecurityAndIPRequiredForSecurityGroups' : 'PortSecurityPortHasSecurityGroup',
    );
  if (changes.port_security_enabled !== undefined)
    await trx
      .updateTable('portsecuritybindings')
      .set({ port_security_enabled: enabled ? 1 : 0 })
      .where('port_id', '=', before.id)
      .execute();
  if (changes.security_groups) {
    await requireSecurityGroups(trx, groups);
    await trx.deleteFrom('securitygroupportbindings').where('port_id', '=', before.id).execute();
    await insertSecurityGroups(trx, before.id, groups);
  }
  if (!changes.allowed_address_pairs && !enabled && before.allowed_address_pairs.length > 0)
    throw neutronError('AddressPairAndPortSecurityRequired');
  if (changes.allowed_address_pairs) {
    const pairs = resolvedPairs(core.config, changes.allowed_address_pairs, mac, enabled);
    await trx.deleteFrom('allowedaddresspairs').where('port_id', '=', before.id).execute();
    await insertAddressPairs(
      trx,
      pairs.map((pair) => ({ port_id: before.id, ...pair })),
    );
  }
}

/** Binds anew when the host, the kind of NIC or the profile changed, or the last binding failed. */
async function changeBinding({ trx, core, network, before, changes }: Updating): Promise<boolean> {
  const host = changes['binding:host_id'] === undefined ? before.host : (changes['binding:host_id'] ?? '');
  const vnicType = changes['binding:vnic_type'] ?? before.vnic_type;
  const profile = changes['binding:profile'] === undefined ? before.profile : (changes['binding:profile'] ?? {});
  const moved =
    host !== before.host || vnicType !== before.vnic_type || JSON.stringify(profile) !== JSON.stringify(before.profile);
  const retried = !moved && before.vif_type === 'binding_failed' && 'binding:host_id' in changes;
  if (!moved && !retried) return false;
  const binding = bindPort(
    host,
    vnicType,
    network,
    host === '' ? undefined : await livingL2Agent(trx, core.config, host),
  );
  await trx
    .updateTable('ml2_port_bindings')
    .set({
      host,
      vnic_type: vnicType,
      vif_type: binding.vifType,
      vif_details: JSON.stringify(binding.vifDetails),
      profile: JSON.stringify(profile),
    })
    .where('port_id', '=', before.id)
    .execute();
  const rebound = host !== before.host || binding.vifType !== before.vif_type;
  if (!rebound) return false;
  await trx.deleteFrom('ml2_port_binding_levels').where('port_id', '=', before.id).execute();
  if (binding.driver !== undefined && network.segmentId !== null)
    await trx
      .insertInto('ml2_port_binding_levels')
      .values({ port_id: before.id, host, level: 0, driver: binding.driver, segment_id: network.segmentId })
      .execute();
  return true;
}

async function changeColumns({ trx, before, changes }: Updating): Promise<void> {
  const columns: { name?: string; admin_state_up?: number; device_id?: string; device_owner?: string } = {};
  if (changes.name !== undefined) columns.name = changes.name;
  if (changes.admin_state_up !== undefined) columns.admin_state_up = changes.admin_state_up ? 1 : 0;
  if (changes.device_id !== undefined) columns.device_id = changes.device_id;
  if (changes.device_owner !== undefined) columns.device_owner = changes.device_owner;
  if (Object.keys(columns).length > 0)
    await trx.updateTable('ports').set(columns).where('id', '=', before.id).execute();
}

async function changeNames({ trx, core, before, changes }: Updating): Promise<void> {
  if (changes.dns_name !== undefined) await setDnsName(trx, before.id, dnsNameInForce(core.config, changes.dns_name));
  if (changes.numa_affinity_policy !== undefined) await setNumaPolicy(trx, before.id, changes.numa_affinity_policy);
  if (changes.extra_dhcp_opts) {
    await trx.deleteFrom('extradhcpopts').where('port_id', '=', before.id).execute();
    await insertDhcpOpts(trx, before.id, changedDhcpOpts(before.extra_dhcp_opts, changes.extra_dhcp_opts));
  }
}

/**
 * Changes a port in the caller's transaction and writes down what agents must be told; gives its new document.
 * Throws NeutronError: PortNotFound, RevisionNumberConstraintFailed, and whatever is wrong with the changes.
 */
export async function updatePort(
  trx: Trx,
  core: Core,
  allocator: AddressAllocator,
  id: string,
  changes: PortUpdate,
  revision?: number,
): Promise<Document> {
  const row = await trx
    .selectFrom('ports')
    .select(['network_id', 'standard_attr_id'])
    .where('id', '=', id)
    .executeTakeFirst();
  const before = (await portParts(trx, [id])).get(id);
  const network = row && (await networkFacts(trx, row.network_id));
  if (!row || !before || !network) throw neutronError('PortNotFound', { id });
  await requireRevision(trx, row.standard_attr_id, revision);
  refuseQos(changes.qos_policy_id);
  const mac =
    changes.mac_address === undefined
      ? before.mac_address
      : (changes.mac_address ?? randomMac(core.config.DEFAULT.base_mac));
  const updating: Updating = { trx, core, allocator, network, before, changes, mac };
  await changeMac(updating);
  await changeFixedIps(updating);
  await changeSecurity(updating);
  await changeColumns(updating);
  await changeNames(updating);
  const rebound = await changeBinding(updating);
  if (changes.description !== undefined)
    await trx
      .updateTable('standardattributes')
      .set({ description: changes.description })
      .where('id', '=', row.standard_attr_id)
      .execute();
  await settleStatus(updating, row.standard_attr_id, rebound);
  await bumpRevision(trx, row.standard_attr_id);
  const after = (await portParts(trx, [id])).get(id);
  if (!after) throw neutronError('PortNotFound', { id });
  const { dns_domain: dnsDomain } = core.config.DEFAULT;
  const document = portDocument(after, dnsDomain);
  if (dhcpSubstance(before, dnsDomain) !== dhcpSubstance(after, dnsDomain))
    await enqueueNotification(trx, EVENTS.port_update_end, { port: document }, { network: network.id });
  if ((isBound(after.vif_type) || isBound(before.vif_type)) && l2Substance(before) !== l2Substance(after))
    await enqueueNotification(
      trx,
      EVENTS.port_update,
      {
        port: document,
        network_type: network.networkType,
        segmentation_id: network.segmentationId,
        physical_network: network.physicalNetwork,
      },
      { network: network.id },
    );
  return document;
}

/** A port that is bound anew, or whose addresses DHCP must learn, is held back until its agents are done. */
async function settleStatus(
  { trx, network, before, changes }: Updating,
  attr: number,
  rebound: boolean,
): Promise<void> {
  const now = (await portParts(trx, [before.id])).get(before.id);
  if (!now) return;
  if (rebound) {
    await trx.updateTable('ports').set({ status: 'DOWN' }).where('id', '=', before.id).execute();
    await trx.deleteFrom('provisioningblocks').where('standard_attr_id', '=', attr).execute();
  }
  const bound = isBound(now.vif_type);
  const readdressed =
    changes.fixed_ips !== undefined && JSON.stringify(now.fixed_ips) !== JSON.stringify(before.fixed_ips);
  if (!rebound && !readdressed) return;
  const dhcp = hasDhcpAddress(network, now.fixed_ips);
  const networkScheduled = dhcp && bound && (await isScheduled(trx, DHCP_AGENTS, network.id));
  const blocks = blocksFor({
    bound: bound && rebound,
    deviceOwner: now.device_owner,
    hasDhcpAddress: dhcp,
    networkScheduled,
  });
  // An ACTIVE port whose address changes stays ACTIVE, as in Neutron: it is wired, and DHCP learns the address by itself.
  if (rebound || now.status !== 'ACTIVE') await addBlocks(trx, attr, blocks);
}
