import { randomUUID } from 'node:crypto';
import type { Trx } from '../../db/database.ts';
import type { AddressAllocator } from '../../ipam/allocate.ts';
import { randomMac } from '../../ipam/mac.ts';
import type { CreateOf } from '../../resources/attribute.ts';
import { neutronError } from '../../resources/errors.ts';
import type { PORT } from '../../resources/port.ts';
import { EVENTS } from '../../rpc/events.ts';
import { DHCP_AGENTS } from '../../scheduler/agent-kinds.ts';
import { willBeServed } from '../../scheduler/serving.ts';
import type { Core, Document } from '../core.ts';
import { enqueueNotification } from '../events.ts';
import { addBlocks, blocksFor, isBound } from '../provisioning.ts';
import { insertStandardAttributes, nowText } from '../standard-attributes.ts';
import { bindPort } from './binding.ts';
import { type CreateFacts, createFacts } from './create-facts.ts';
import { inShownOrder, type PortParts, portDocument } from './documents.ts';
import { takeDefault, takeWanted } from './fixed-ips.ts';
import type { NetworkFacts } from './network-facts.ts';
import {
  insertAddressPairs,
  insertBinding,
  insertDhcpOpts,
  insertPort,
  insertPortSecurity,
  insertSecurityGroups,
  setDnsName,
  setNumaPolicy,
} from './rows.ts';
import { defaultSecurityGroup, isNetworkDevice, requireSecurityGroups } from './security.ts';
import { checkFixedIpCount, dnsNameInForce, newDhcpOpts, refuseQos, resolvedPairs } from './values.ts';

export type PortCreate = CreateOf<typeof PORT>;

const MAC_TRIES = 16;

/** Whether one of the addresses lies in a subnet that DHCP answers in. */
export const hasDhcpAddress = (network: NetworkFacts, fixedIps: PortParts['fixed_ips']): boolean =>
  fixedIps.some((ip) => network.subnets.some((s) => s.id === ip.subnet_id && s.enableDhcp));

async function insertWithMac(
  trx: Trx,
  baseMac: string,
  wanted: string | null | undefined,
  row: Omit<Parameters<typeof insertPort>[1], 'mac_address'>,
): Promise<string> {
  if (wanted !== null && wanted !== undefined) {
    if (!(await insertPort(trx, { ...row, mac_address: wanted })))
      throw neutronError('MacAddressInUse', { network: row.network_id, mac: wanted });
    return wanted;
  }
  for (let tries = 0; tries < MAC_TRIES; tries++) {
    const mac = randomMac(baseMac);
    if (await insertPort(trx, { ...row, mac_address: mac })) return mac;
  }
  throw neutronError('MacAddressGenerationFailure', { network: row.network_id });
}

async function securityGroupsOf(
  trx: Trx,
  values: PortCreate,
  { defaultGroup, groupIsKnown }: CreateFacts,
  portSecurity: boolean,
  networkDevice: boolean,
): Promise<readonly string[]> {
  const wanted = values.security_groups;
  if (!portSecurity && wanted && wanted.length > 0) throw neutronError('PortSecurityAndIPRequiredForSecurityGroups');
  if (wanted) {
    const groups = [...new Set(wanted)].sort();
    // The facts tell of one; most ports are in no more.
    if (groups.length > 1 || !groupIsKnown) await requireSecurityGroups(trx, groups);
    return groups;
  }
  // A default group is made even for ports without port security, as the first port of a project makes it.
  if (!portSecurity || networkDevice) return [];
  return [defaultGroup ?? (await defaultSecurityGroup(trx, values.project_id))];
}

/**
 * Makes a port: row and MAC, fixed IPs, security, binding, what holds it back from ACTIVE, and what agents must be told,
 * all in the caller's transaction. Throws NeutronError for whatever is wrong with the values.
 */
export async function createPort(
  trx: Trx,
  core: Core,
  allocator: AddressAllocator,
  values: PortCreate,
): Promise<Document> {
  const { config } = core;
  const host = values['binding:host_id'] ?? '';
  const facts = await createFacts(trx, config, {
    network: values.network_id,
    host,
    project: values.project_id,
    group: values.security_groups?.[0] ?? '',
  });
  if (!facts) throw neutronError('NetworkNotFound', { id: values.network_id });
  const { network } = facts;
  refuseQos(values.qos_policy_id);
  const networkDevice = isNetworkDevice(values.device_owner);
  const portSecurity = values.port_security_enabled ?? (networkDevice ? false : network.portSecurityEnabled);
  if (values.fixed_ips) checkFixedIpCount(config, values.fixed_ips, networkDevice);
  const groups = await securityGroupsOf(trx, values, facts, portSecurity, networkDevice);
  const dnsName = dnsNameInForce(config, values.dns_name);

  // `none`: the caller wants no address; the network may still give some later.
  const ipAllocation = values.fixed_ips?.length === 0 ? 'none' : 'immediate';
  const id = randomUUID();
  const now = nowText();
  const attr = await insertStandardAttributes(trx, {
    resource_type: 'ports',
    description: values.description,
    revision_number: 1,
    now,
  });
  const row = {
    id,
    project_id: values.project_id,
    name: values.name,
    network_id: network.id,
    admin_state_up: values.admin_state_up ? 1 : 0,
    status: 'DOWN',
    device_id: values.device_id,
    device_owner: values.device_owner,
    ip_allocation: ipAllocation,
    standard_attr_id: attr,
  };
  const mac = await insertWithMac(trx, config.DEFAULT.base_mac, values.mac_address, row);
  const addressed = { id, mac, deviceOwner: values.device_owner };
  const taken = values.fixed_ips
    ? await takeWanted(trx, allocator, network, addressed, values.fixed_ips)
    : await takeDefault(trx, allocator, network, addressed);
  const fixedIps = inShownOrder(taken);

  const vnicType = values['binding:vnic_type'];
  const profile = values['binding:profile'] ?? {};
  const binding = bindPort(host, vnicType, network, facts.agent);
  const bound = isBound(binding.vifType);
  await insertBinding(trx, {
    port_id: id,
    host,
    vif_type: binding.vifType,
    vnic_type: vnicType,
    profile: JSON.stringify(profile),
    vif_details: JSON.stringify(binding.vifDetails),
    status: 'ACTIVE',
  });
  if (binding.driver !== undefined && network.segmentId !== null)
    await trx
      .insertInto('ml2_port_binding_levels')
      .values({ port_id: id, host, level: 0, driver: binding.driver, segment_id: network.segmentId })
      .execute();
  await insertPortSecurity(trx, id, portSecurity);
  await insertSecurityGroups(trx, id, groups);
  const pairs = resolvedPairs(config, values.allowed_address_pairs, mac, portSecurity);
  await insertAddressPairs(
    trx,
    pairs.map((pair) => ({ port_id: id, ...pair })),
  );
  const opts = newDhcpOpts(values.extra_dhcp_opts);
  await insertDhcpOpts(trx, id, opts);
  if (dnsName !== '') await setDnsName(trx, id, dnsName);
  if (values.numa_affinity_policy !== null) await setNumaPolicy(trx, id, values.numa_affinity_policy);

  const dhcp = hasDhcpAddress(network, fixedIps);
  const networkScheduled = dhcp && bound && (await willBeServed(trx, config, DHCP_AGENTS, network.id));
  await addBlocks(
    trx,
    attr,
    blocksFor({ bound, deviceOwner: values.device_owner, hasDhcpAddress: dhcp, networkScheduled }),
  );

  const document = portDocument(
    {
      id,
      name: values.name,
      network_id: network.id,
      project_id: values.project_id,
      mac_address: mac,
      admin_state_up: values.admin_state_up,
      status: 'DOWN',
      device_id: values.device_id,
      device_owner: values.device_owner,
      fixed_ips: fixedIps,
      security_groups: groups,
      port_security_enabled: portSecurity,
      allowed_address_pairs: pairs,
      extra_dhcp_opts: opts,
      host,
      vnic_type: vnicType,
      vif_type: binding.vifType,
      vif_details: binding.vifDetails,
      profile,
      dns_name: dnsName,
      ip_allocation: ipAllocation,
      description: values.description,
      tags: [],
      created_at: now,
      updated_at: now,
      revision_number: 1,
    },
    config.DEFAULT.dns_domain,
  );
  if (network.subnets.some((s) => s.enableDhcp))
    await enqueueNotification(trx, EVENTS.port_create_end, { port: document }, { network: network.id });
  return document;
}
