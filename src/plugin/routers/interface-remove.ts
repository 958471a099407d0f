import { neutronError } from '../../resources/errors.ts';
import type { InterfaceInfo } from '../../resources/router-types.ts';
import { SUBNET } from '../../resources/subnet.ts';
import { inserted } from '../module.ts';
import { deletePort } from '../ports/delete.ts';
import { portDocuments } from '../ports/documents.ts';
import { updatePort } from '../ports/update.ts';
import { requireVisible, visibleSubnets } from '../visibility.ts';
import { type AttachedPort, attachedPorts, isInterface } from './attached.ts';
import { requireInterfaceUnused } from './in-use.ts';
import { answerOf, changeInterfaces, type InterfaceAnswer, type InterfaceChange } from './interface-change.ts';

/** Returns the interface to remove, and those of its subnets that the request is about. */
function interfaceToRemove(
  { router }: InterfaceChange,
  interfaces: readonly AttachedPort[],
  { port_id, subnet_id }: InterfaceInfo,
): AttachedPort {
  if (port_id !== undefined) {
    const port = interfaces.find(({ id }) => id === port_id);
    if (!port) throw neutronError('RouterInterfaceNotFound', { router: router.id, port: port_id });
    if (subnet_id !== undefined && !port.subnets.some(({ id }) => id === subnet_id))
      throw neutronError('SubnetMismatchForPort', { port: port_id, subnet: subnet_id });
    return port;
  }
  const port = interfaces.find(({ subnets }) => subnets.some(({ id }) => id === subnet_id));
  if (port) return port;
  throw neutronError('RouterInterfaceNotFoundForSubnet', { router: router.id, subnet: subnet_id ?? '' });
}

async function remove(change: InterfaceChange, info: InterfaceInfo): Promise<InterfaceAnswer> {
  const { trx, core, allocator, caller, router } = change;
  const { port_id, subnet_id } = info;
  if (port_id === undefined && subnet_id !== undefined)
    await requireVisible(trx, caller, SUBNET, subnet_id, visibleSubnets);
  const interfaces = (await attachedPorts(trx, router.id)).filter(isInterface);
  const attached = interfaceToRemove(change, interfaces, info);
  const subnets = attached.subnets.filter(({ id }) => port_id !== undefined || id === subnet_id);
  for (const subnet of subnets) await requireInterfaceUnused(trx, router.id, subnet);
  const document = inserted(
    (await portDocuments(trx, core.config, [attached.id])).get(attached.id),
    'port',
    attached.id,
  );
  if (subnets.length === attached.subnets.length) await deletePort(trx, attached.id);
  else {
    // The port keeps its other IPv6 subnets.
    const fixed_ips = attached.fixedIps.filter((ip) => ip.subnet_id !== subnet_id);
    await updatePort(trx, core, allocator, attached.id, { fixed_ips });
  }
  const ids = subnets.map(({ id }) => id);
  return answerOf(router, document, ids, ids[0]);
}

/**
 * Detaches a subnet or a port from a router; the port is deleted with its last subnet. Throws NeutronError: SubnetNotFound,
 * RouterInterfaceNotFound, RouterInterfaceNotFoundForSubnet, SubnetMismatchForPort, and those of interfaces in use.
 */
export const removeInterface = (
  of: Omit<InterfaceChange, 'router'>,
  routerId: string,
  info: InterfaceInfo,
): Promise<InterfaceAnswer> => changeInterfaces(of, routerId, (change) => remove(change, info));
