import { randomUUID } from 'node:crypto';
import type { Caller } from '../../auth/contract.ts';
import type { Trx } from '../../db/database.ts';
import type { AddressAllocator } from '../../ipam/allocate.ts';
import { isNetworkDevice } from '../../net/device-owners.ts';
import { randomMac } from '../../net/mac.ts';
import type { CreateOf } from '../../resources/attribute.ts';
import { neutronError } from '../../resources/errors.ts';
import { PORT } from '../../resources/port.ts';
import { EVENTS } from '../../rpc/events.ts';
import { DHCP_AGENTS } from '../../scheduler/agent-kinds.ts';
import { willBeServed } from '../../scheduler/serving.ts';
import { insertMain, insertSides, insertStandard, plainOf } from '../../store/rows.ts';
import { newStandard } from '../../store/standard-attributes.ts';
import type { Core } from '../core.ts';
import { enqueueNotification } from '../events.ts';
import { addBlocks, blocksFor, completeWithoutAgent, isBound } from '../provisioning.ts';
import type { Quotas } from '../quotas/limits.ts';
import { enqueueMembersChanged } from '../security-group-events.ts';
import { defaultSecurityGroup } from '../security-groups/new-group.ts';
import { insertTags } from '../tags.ts';
import { bindPort } from './binding.ts';
import { withSegmentForHost } from './bound-segment.ts';
import { candidateSubnets } from './candidate-subnets.ts';
import { type CreateFacts, createFacts } from './create-facts.ts';
import { inShownOrder, type PortDocument, portDocument, portDocuments } from './documents.ts';
import { allocateOnSegment, allocateRequested } from './fixed-ips.ts';
import type { NetworkFacts } from './network-facts.ts';
import { admitQosPolicy } from './qos-policy.ts';
import { insertAddressPairs, insertBindingLevel, insertDhcpOpts, insertSecurityGroups } from './rows.ts';
import { requireSecurityGroups } from './security.ts';
import { checkFixedIpCount, dnsNameInForce, newDhcpOpts, resolvedPairs } from './values.ts';

export type PortCreate = CreateOf<typeof PORT>;

const MAC_TRIES = 16;

/** Returns whether one of the addresses is in a subnet with DHCP. */
export const hasDhcpAddress = (network: NetworkFacts, fixedIps: PortDocument['fixed_ips']): boolean =>
  fixedIps.some((ip) => network.subnets.some((s) => s.id === ip.subnet_id && s.enableDhcp));

/**
 * Inserts a port's row with the requested MAC, or a random one that is unique on the network; returns the row. `insert` returns
 * undefined if the MAC is taken.
 */
async function insertWithMac<Row>(
  baseMac: string,
  network: string,
  wanted: string | null | undefined,
  insert: (mac: string) => Promise<Row | undefined>,
): Promise<Row> {
  if (wanted !== null && wanted !== undefined) {
    const row = await insert(wanted);
    if (row) return row;
    throw neutronError('MacAddressInUse', { network, mac: wanted });
  }
  for (let tries = 0; tries < MAC_TRIES; tries++) {
    const row = await insert(randomMac(baseMac));
    if (row) return row;
  }
  throw neutronError('MacAddressGenerationFailure', { network });
}

async function securityGroupsOf(
  trx: Trx,
  values: PortCreate,
  { defaultGroup, groupProject }: CreateFacts,
  portSecurity: boolean,
  networkDevice: boolean,
  creator: PortCreator | undefined,
): Promise<readonly string[]> {
  const { security_groups: wanted, project_id: project } = values;
  if (!portSecurity && wanted && wanted.length > 0) throw neutronError('PortSecurityAndIPRequiredForSecurityGroups');
  if (wanted) {
    const groups = [...new Set(wanted)].sort();
    // The facts cover one group; most ports have at most one, of their own project.
    if (groups.length > 1 || groupProject !== project)
      await requireSecurityGroups(trx, creator?.caller, groups, project);
    return groups;
  }
  if (!portSecurity || networkDevice) return [];
  if (defaultGroup !== undefined) return [defaultGroup];
  // The first port of a project creates its default group; only the project itself and administrators may.
  if (creator === undefined || !(creator.caller.isAdmin || creator.caller.projectId === project)) return [];
  return [await defaultSecurityGroup(trx, creator.quotas, project)];
}

/** Who creates a port, and the quotas of the default group that comes with a project's first port. */
export interface PortCreator {
  readonly caller: Caller;
  readonly quotas: Quotas;
}

/**
 * Creates a port: rows and MAC, fixed IPs, security, binding, provisioning blocks, and the notifications of agents, all in the
 * caller's transaction. Throws NeutronError for invalid values. `creator`: absent for the ports of agents, which have no security
 * groups.
 */
export async function createPort(
  trx: Trx,
  core: Core,
  allocator: AddressAllocator,
  values: PortCreate,
  creator?: PortCreator,
): Promise<PortDocument> {
  const { config } = core;
  const { device_owner: deviceOwner } = values;
  const host = values['binding:host_id'] ?? '';
  const facts = await createFacts(trx, config, {
    network: values.network_id,
    host,
    project: values.project_id,
    group: values.security_groups?.[0] ?? '',
  });
  if (!facts) throw neutronError('NetworkNotFound', { id: values.network_id });
  if (creator) await creator.quotas.reserve(trx, { resource: PORT }, values.project_id, 1, { limit: facts.ownLimit });
  const { network } = facts;
  const networkDevice = isNetworkDevice(deviceOwner);
  const portSecurity = values.port_security_enabled ?? (networkDevice ? false : network.portSecurityEnabled);
  if (values.fixed_ips) checkFixedIpCount(config, values.fixed_ips, networkDevice);
  const groups = await securityGroupsOf(trx, values, facts, portSecurity, networkDevice, creator);
  const wanted = values.fixed_ips;
  const candidates = await candidateSubnets(trx, network, { deviceOwner, host, wanted });
  const vnicType = values['binding:vnic_type'];
  const wired = await withSegmentForHost(trx, network, host, vnicType, facts.agent, candidates?.[0].subnets ?? []);
  const binding = bindPort(host, vnicType, wired, facts.agent);
  const id = randomUUID();
  const plain = {
    ...plainOf(PORT, values),
    id,
    status: 'DOWN',
    // `none`: the caller requests no address; the network may still allocate some later.
    ip_allocation: wanted?.length === 0 ? 'none' : candidates ? 'immediate' : 'deferred',
    port_security_enabled: portSecurity,
    dns_name: dnsNameInForce(config, values.dns_name),
    'binding:host_id': host,
    'binding:profile': values['binding:profile'] ?? {},
    'binding:vif_type': binding.vifType,
    'binding:vif_details': binding.vifDetails,
    ...newStandard(1),
  };

  const attr = await insertStandard(trx, PORT, plain);
  const row = await insertWithMac(config.DEFAULT.base_mac, network.id, values.mac_address, async (mac_address) => {
    const withMac = { ...plain, mac_address };
    return (await insertMain(trx, PORT, withMac, attr)) ? withMac : undefined;
  });
  const mac = row.mac_address;
  const addressed = { id, mac, deviceOwner };
  const taken = !candidates
    ? []
    : wanted
      ? await allocateRequested(trx, allocator, candidates[0], addressed, wanted)
      : await allocateOnSegment(trx, allocator, candidates, addressed);
  const shown = await insertSides(trx, PORT, row);
  // With several candidates, the addresses show on which segment it is.
  const holding = network.subnets.filter((s) => taken.some((ip) => ip.subnet_id === s.id));
  const level =
    candidates && candidates.length > 1
      ? await withSegmentForHost(trx, network, host, vnicType, facts.agent, holding)
      : wired;
  await insertBindingLevel(trx, id, level, binding);
  await insertSecurityGroups(trx, id, groups);
  const pairs = resolvedPairs(config, values.allowed_address_pairs ?? [], mac, portSecurity);
  await insertAddressPairs(trx, id, pairs);
  const opts = newDhcpOpts(values.extra_dhcp_opts);
  await insertDhcpOpts(trx, id, opts);
  const tags = [...(values.tags ?? [])].sort();
  await insertTags(trx, attr, tags);

  const fixedIps = inShownOrder(taken);
  const bound = isBound(binding.vifType);
  const dhcp = hasDhcpAddress(network, fixedIps);
  const networkScheduled = dhcp && bound && (await willBeServed(trx, config, DHCP_AGENTS, network.id, facts.served));
  await addBlocks(
    trx,
    attr,
    blocksFor({ vifType: binding.vifType, deviceOwner, hasDhcpAddress: dhcp, networkScheduled }),
  );

  const lists = {
    fixed_ips: fixedIps,
    security_groups: groups,
    allowed_address_pairs: pairs,
    extra_dhcp_opts: opts,
    tags,
  };
  const request = await admitQosPolicy(trx, core, network, {
    ...shown,
    device_owner: deviceOwner,
    'binding:vif_type': binding.vifType,
  });
  const document = portDocument(shown, lists, config.DEFAULT.dns_domain, network.qosPolicyId, request);
  if (network.subnets.some((s) => s.enableDhcp))
    await enqueueNotification(trx, EVENTS.port_create_end, { port: document }, { network: network.id });
  // Otherwise L2 agents learn of the member by the same event.
  else await enqueueMembersChanged(trx, groups);
  if (await completeWithoutAgent(trx, core, document))
    return (await portDocuments(trx, config, [id])).get(id) ?? document;
  return document;
}
