import type { Caller } from '../../auth/contract.ts';
import type { Trx } from '../../db/database.ts';
import type { AddressAllocator } from '../../ipam/allocate.ts';
import { isNetworkDevice } from '../../net/device-owners.ts';
import { randomMac } from '../../net/mac.ts';
import type { UpdateOf } from '../../resources/attribute.ts';
import { neutronError } from '../../resources/errors.ts';
import { PORT } from '../../resources/port.ts';
import type { FixedIp, WantedFixedIp } from '../../resources/port-types.ts';
import { EVENTS } from '../../rpc/events.ts';
import { DHCP_AGENTS } from '../../scheduler/agent-kinds.ts';
import { aliveL2Agent } from '../../scheduler/l2-agents.ts';
import { isScheduled } from '../../scheduler/serving.ts';
import { differsFor, plainOf, updatePlain } from '../../store/rows.ts';
import { nextRevision, requireCurrent } from '../../store/standard-attributes.ts';
import type { Core } from '../core.ts';
import { enqueueNotification } from '../events.ts';
import { forgetMachines } from '../machines/stored.ts';
import { enqueueStatusChanges } from '../nova-events.ts';
import { addBlocks, blocksFor, completeWithoutAgent, isBound } from '../provisioning.ts';
import { enqueueMembersChanged, groupsOfChange } from '../security-group-events.ts';
import { bindPort } from './binding.ts';
import { withBoundSegment, withSegmentForHost } from './bound-segment.ts';
import { candidateSubnets, candidatesOnHost } from './candidate-subnets.ts';
import { hasDhcpAddress } from './create.ts';
import { inShownOrder, type PortDocument, portDocument, portDocuments } from './documents.ts';
import { allocateOnSegment, allocateRequested, isAutomatic } from './fixed-ips.ts';
import { lockPort } from './lock.ts';
import type { NetworkFacts } from './network-facts.ts';
import { admitQosPolicy } from './qos-policy.ts';
import { requireSameIpv4 } from './router-ports.ts';
import { insertAddressPairs, insertBindingLevel, insertDhcpOpts, insertSecurityGroups } from './rows.ts';
import { requireSecurityGroups } from './security.ts';
import { releaseTranslations } from './translations.ts';
import { changedDhcpOpts, checkFixedIpCount, dnsNameInForce, resolvedPairs } from './values.ts';

export type PortUpdate = UpdateOf<typeof PORT>;

interface Updating {
  readonly trx: Trx;
  readonly core: Core;
  readonly allocator: AddressAllocator;
  readonly network: NetworkFacts;
  readonly before: PortDocument;
  readonly changes: PortUpdate;
  readonly mac: string;
  /** Absent: an agent, for its own port. */
  readonly caller: Caller | undefined;
}

/** Throws PortBound and MacAddressInUse. */
async function checkMac({ trx, before, mac }: Updating): Promise<void> {
  if (mac === before.mac_address) return;
  const { id, network_id: network, mac_address: old, 'binding:vif_type': vif } = before;
  if (isBound(vif)) throw neutronError('PortBound', { id, vif, old, new: mac });
  const other = await trx
    .selectFrom('ports')
    .select('id')
    .where('network_id', '=', network)
    .where('mac_address', '=', mac)
    .executeTakeFirst();
  if (other) throw neutronError('MacAddressInUse', { network, mac });
}

/**
 * Splits the requested fixed IPs into addresses that the port already has and new ones; the port's other addresses are
 * released, except for automatic ones.
 */
function matchFixedIps(
  current: readonly FixedIp[],
  wanted: readonly WantedFixedIp[],
  isKept: (ip: FixedIp) => boolean,
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
    // An entry with only a subnet is satisfied by an address that the port already has there.
    ...bySubnet.filter((w) => w.subnet_id === undefined || !take((ip) => ip.subnet_id === w.subnet_id)),
  ];
  return { kept: [...kept, ...left.filter(isKept)], fresh };
}

const subnetsOf = (ips: readonly FixedIp[]): ReadonlySet<string> => new Set(ips.map(({ subnet_id }) => subnet_id));

/** Returns the host to which the port will be bound. */
const hostAfter = (before: PortDocument, { 'binding:host_id': host }: PortUpdate): string =>
  host === undefined ? before['binding:host_id'] : (host ?? '');

/** Writes the port's fixed IPs, if they or its host change; returns them. */
async function changeFixedIps({ trx, core, allocator, network, before, changes, mac, caller }: Updating) {
  const wanted = changes.fixed_ips;
  const deviceOwner = changes.device_owner ?? before.device_owner;
  const host = hostAfter(before, changes);
  const addressed = { id: before.id, mac, deviceOwner };
  if (!wanted) {
    if (host === before['binding:host_id'] || host === '') return before.fixed_ips;
    const candidates = await candidatesOnHost(
      trx,
      network,
      { id: before.id, deviceOwner, fixed_ips: before.fixed_ips },
      host,
    );
    const isDeferred = before.ip_allocation === 'deferred' && before['binding:host_id'] === '';
    if (candidates && isDeferred && before.fixed_ips.length === 0)
      return inShownOrder(await allocateOnSegment(trx, allocator, candidates, addressed));
    return before.fixed_ips;
  }
  // Without addresses there is nothing that must be reachable from the host.
  const [here = network] =
    wanted.length === 0 ? [] : ((await candidateSubnets(trx, network, { deviceOwner, host, wanted })) ?? []);
  checkFixedIpCount(core.config, wanted, isNetworkDevice(deviceOwner));
  const automatic = new Set(network.subnets.filter((s) => isAutomatic(s, deviceOwner)).map(({ id }) => id));
  const { kept, fresh } = matchFixedIps(before.fixed_ips, wanted, ({ subnet_id }) => automatic.has(subnet_id));
  const released = before.fixed_ips.filter((ip) => !kept.includes(ip));
  // Routers themselves may.
  if (caller) await requireSameIpv4(trx, before, [...released, ...fresh], network);
  for (const { subnet_id, ip_address } of released)
    await trx
      .deleteFrom('ipallocations')
      .where('port_id', '=', before.id)
      .where('subnet_id', '=', subnet_id)
      .where('ip_address', '=', ip_address)
      .execute();
  if (kept.length < before.fixed_ips.length)
    await releaseTranslations(
      trx,
      before.id,
      kept.map((ip) => ip.ip_address),
    );
  const taken = await allocateRequested(trx, allocator, here, addressed, fresh, subnetsOf(kept));
  return inShownOrder([...kept, ...taken]);
}

/** Writes the port's security groups and address pairs; returns the effective ones. */
async function changeSecurity({ trx, core, before, changes, mac, caller }: Updating) {
  const enabled = changes.port_security_enabled ?? before.port_security_enabled;
  const groups = changes.security_groups ? [...new Set(changes.security_groups)].sort() : before.security_groups;
  if (!enabled && groups.length > 0)
    throw neutronError(
      changes.security_groups ? 'PortSecurityAndIPRequiredForSecurityGroups' : 'PortSecurityPortHasSecurityGroup',
    );
  if (changes.security_groups) {
    await requireSecurityGroups(trx, caller, groups);
    await trx.deleteFrom('securitygroupportbindings').where('port_id', '=', before.id).execute();
    await insertSecurityGroups(trx, before.id, groups);
  }
  if (!changes.allowed_address_pairs && !enabled && before.allowed_address_pairs.length > 0)
    throw neutronError('AddressPairAndPortSecurityRequired');
  let pairs = before.allowed_address_pairs;
  if (changes.allowed_address_pairs) {
    pairs = resolvedPairs(core.config, changes.allowed_address_pairs, mac, enabled);
    await trx.deleteFrom('allowedaddresspairs').where('port_id', '=', before.id).execute();
    await insertAddressPairs(trx, before.id, pairs);
  }
  return {
    port_security_enabled: enabled,
    security_groups: groups,
    allowed_address_pairs: inOrder(pairs, 'ip_address'),
  };
}

/** Rows in the order in which selects return them. */
const inOrder = <T extends Readonly<Record<K, string>>, K extends string>(rows: readonly T[], key: K): readonly T[] =>
  rows.length < 2 ? rows : [...rows].sort((a, b) => (a[key] < b[key] ? -1 : a[key] > b[key] ? 1 : 0));

/** Writes the port's DHCP options; returns them. */
async function changeDhcpOpts({ trx, before, changes }: Updating) {
  if (!changes.extra_dhcp_opts) return before.extra_dhcp_opts;
  const opts = changedDhcpOpts(before.extra_dhcp_opts, changes.extra_dhcp_opts);
  await trx.deleteFrom('extradhcpopts').where('port_id', '=', before.id).execute();
  await insertDhcpOpts(trx, before.id, opts);
  return [...opts].sort((a, b) =>
    a.opt_name < b.opt_name ? -1 : a.opt_name > b.opt_name ? 1 : a.ip_version - b.ip_version,
  );
}

/**
 * Rebinds the port if its host, VNIC type or profile changes, or its last binding failed; returns its binding, and the network with
 * the segment to which it is bound.
 */
async function changeBinding({ trx, core, network, before, changes }: Updating, fixedIps: readonly FixedIp[]) {
  const { 'binding:host_id': oldHost, 'binding:vif_type': oldVif } = before;
  const host = hostAfter(before, changes);
  const vnicType = changes['binding:vnic_type'] ?? before['binding:vnic_type'];
  const profile =
    changes['binding:profile'] === undefined ? before['binding:profile'] : (changes['binding:profile'] ?? {});
  const moved =
    host !== oldHost ||
    vnicType !== before['binding:vnic_type'] ||
    JSON.stringify(profile) !== JSON.stringify(before['binding:profile']);
  const retried = !moved && oldVif === 'binding_failed' && 'binding:host_id' in changes;
  if (!moved && !retried)
    return { rebound: false, binding: {}, wired: await withBoundSegment(trx, network, before.id, oldHost) };
  const agent = host === '' ? undefined : await aliveL2Agent(trx, core.config, host);
  const addressed = network.subnets.filter((s) => fixedIps.some((ip) => ip.subnet_id === s.id));
  const wired = await withSegmentForHost(trx, network, host, vnicType, agent, addressed);
  const binding = bindPort(host, vnicType, wired, agent);
  const rebound = host !== oldHost || binding.vifType !== oldVif;
  if (host !== oldHost)
    // The active binding takes the place of an inactive one of this host (binding-extended).
    await trx
      .deleteFrom('ml2_port_bindings')
      .where('port_id', '=', before.id)
      .where('host', '=', host)
      .where('status', '=', 'INACTIVE')
      .execute();
  if (rebound) {
    await trx.deleteFrom('ml2_port_binding_levels').where('port_id', '=', before.id).execute();
    await insertBindingLevel(trx, before.id, wired, binding);
  }
  return {
    rebound,
    wired,
    binding: {
      'binding:host_id': host,
      'binding:vnic_type': vnicType,
      'binding:profile': profile,
      'binding:vif_type': binding.vifType,
      'binding:vif_details': binding.vifDetails,
    },
  };
}

/**
 * Updates a port in the caller's transaction and enqueues the notifications of agents; returns its new document.
 * Throws NeutronError: PortNotFound, RevisionNumberConstraintFailed, and for invalid changes.
 */
export async function updatePort(
  trx: Trx,
  core: Core,
  allocator: AddressAllocator,
  id: string,
  changes: PortUpdate,
  revision?: number,
  caller?: Caller,
): Promise<PortDocument> {
  const { before, network, attr } = await lockPort(trx, core, id);
  requireCurrent(before.revision_number, revision);
  const mac =
    changes.mac_address === undefined
      ? before.mac_address
      : (changes.mac_address ?? randomMac(core.config.DEFAULT.base_mac));
  const updating: Updating = { trx, core, allocator, network, before, changes, mac, caller };
  await checkMac(updating);
  const fixedIps = await changeFixedIps(updating);
  const { port_security_enabled, security_groups, allowed_address_pairs } = await changeSecurity(updating);
  const opts = await changeDhcpOpts(updating);
  const { rebound, binding, wired } = await changeBinding(updating, fixedIps);
  const { 'binding:host_id': _host, 'binding:profile': _profile, mac_address: _mac, ...named } = plainOf(PORT, changes);
  const plain = {
    ...named,
    ...(mac === before.mac_address ? {} : { mac_address: mac }),
    ...('port_security_enabled' in changes ? { port_security_enabled } : {}),
    ...(changes.dns_name === undefined ? {} : { dns_name: dnsNameInForce(core.config, changes.dns_name) }),
    ...binding,
    // A rebound port must be provisioned again.
    ...(rebound ? { status: 'DOWN' } : {}),
  };
  await updatePlain(trx, PORT, { id, attr }, plain);
  if (changes.device_id !== undefined && changes.device_id !== before.device_id)
    await forgetMachines(trx, before.device_id);
  const next = await nextRevision(trx, attr, before, revision);
  const { numa_affinity_policy: _numa, ...shown } = plain;
  const lists = {
    fixed_ips: fixedIps,
    security_groups,
    allowed_address_pairs,
    extra_dhcp_opts: opts,
    tags: before.tags,
  };
  const changed = { ...before, ...shown, ...next };
  const request = await admitQosPolicy(trx, core, network, changed, before.qos_policy_id);
  const after = portDocument(changed, lists, core.config.DEFAULT.dns_domain, network.qosPolicyId, request);
  await blockUntilReady(updating, after, attr, rebound);
  if (rebound) await enqueueStatusChanges(trx, core, [{ ...after, status: before.status }], 'DOWN');
  if (differsFor(PORT, 'dhcp', before, after))
    await enqueueNotification(trx, EVENTS.port_update_end, { port: after }, { network: network.id });
  await enqueueMembersChanged(trx, groupsOfChange(before, after));
  const known = isBound(after['binding:vif_type']) || isBound(before['binding:vif_type']);
  if (known && differsFor(PORT, 'l2', before, after))
    await enqueueNotification(
      trx,
      EVENTS.port_update,
      {
        port: after,
        network_type: wired.networkType,
        segmentation_id: wired.segmentationId,
        physical_network: wired.physicalNetwork,
      },
      { network: network.id },
    );
  if (await completeWithoutAgent(trx, core, after))
    return (await portDocuments(trx, core.config, [id])).get(id) ?? after;
  return after;
}

/** Adds provisioning blocks to a port that was rebound or whose addresses DHCP must learn, until its agents report it ready. */
async function blockUntilReady(
  { trx, network, before }: Updating,
  after: PortDocument,
  attr: number,
  rebound: boolean,
): Promise<void> {
  if (rebound) await trx.deleteFrom('provisioningblocks').where('standard_attr_id', '=', attr).execute();
  const readdressed = JSON.stringify(after.fixed_ips) !== JSON.stringify(before.fixed_ips);
  // As in Neutron, an ACTIVE port whose address changes stays ACTIVE: it is wired, and DHCP learns the address on its own.
  if (!rebound && !(readdressed && after.status !== 'ACTIVE')) return;
  const bound = isBound(after['binding:vif_type']);
  const dhcp = hasDhcpAddress(network, after.fixed_ips);
  const networkScheduled = dhcp && bound && (await isScheduled(trx, DHCP_AGENTS, network.id));
  const { device_owner: deviceOwner } = after;
  await addBlocks(
    trx,
    attr,
    blocksFor({
      ...(rebound ? { vifType: after['binding:vif_type'] } : {}),
      deviceOwner,
      hasDhcpAddress: dhcp,
      networkScheduled,
    }),
  );
}
