import type { PortDocument } from '../../rpc/documents.ts';
import type { Handlers } from '../../rpc/topic.ts';
import type { DhcpAgentMethods } from '../../rpc/topics/dhcp-agent.ts';
import { isOwnDhcpPort, ownDhcpPorts } from './dhcp-parts.ts';
import { dhcpSubnetIds } from './dhcp-port.ts';
import type { NetworkCache } from './network-cache.ts';
import type { RecentIds } from './recent-ids.ts';
import type { Reconciler } from './reconciler.ts';

/** Priority of a pass if the server sends none; the server's range from 0 (network created) to 6 (port changed). */
const USUAL_PRIORITY = 6;

export interface NotificationsOptions {
  readonly cache: NetworkCache;
  readonly reconciler: Reconciler;
  /** Networks that were removed from this agent, with the time on the cache's clock. */
  readonly dismissed: RecentIds;
  /** Requests a pass over the network. */
  readonly queue: (networkId: string, priority: number) => void;
  /** Something happened to the agent's own port: passes wait, because more notifications about it follow. */
  readonly hold: (networkId: string, reason: string) => void;
  /** A message brought an unknown port: it may be an old message, of a port that is gone. */
  readonly onNewPort: (networkId: string) => void;
  readonly onPortDeleted: (portId: string) => void;
  readonly onAgentUpdated: (adminStateUp: boolean) => void;
  /** `device_id` of the agent's own port on a network. */
  readonly ownDeviceId: (networkId: string) => string;
}

/**
 * The handlers of `dhcp_agent`. They only record newer state and which network to check. Networks and subnets are requested again
 * as a whole; ports, which are many, are taken from the notification.
 */
export function notificationHandlers(options: NotificationsOptions): Handlers<DhcpAgentMethods> {
  const { cache, reconciler, dismissed, queue, hold } = options;

  function refetch(networkId: string | undefined, priority: number | undefined): null {
    // A later message has already removed the network.
    if (networkId === undefined || dismissed.has(networkId)) return null;
    reconciler.refetch(networkId);
    queue(networkId, priority ?? USUAL_PRIORITY);
    return null;
  }

  function portChanged({ port, priority = USUAL_PRIORITY }: { port: PortDocument; priority?: number }): null {
    const networkId = port.network_id;
    const news = cache.applyPort(port);
    if (news.outcome === 'unknown-network') return refetch(networkId, priority);
    if (news.outcome !== 'changed') return null;
    if (!news.before) options.onNewPort(networkId);
    const ownId = options.ownDeviceId(networkId);
    const isOwn = (one: PortDocument) => isOwnDhcpPort(one, ownId);
    if (news.before && isOwn(news.before) && !isOwn(port)) {
      hold(networkId, 'its DHCP port was deleted');
    } else if (isOwn(port) && news.before && losesSubnets(networkId, news.before, port)) {
      hold(networkId, 'its DHCP port lost a subnet');
    } else {
      // Two ports cannot have the same address: the deletion of the older one was missed, or arrives later.
      if (news.rival) reconciler.refetch(networkId);
      queue(networkId, priority);
    }
    return null;
  }

  /** The subnet is probably being deleted: requesting an address in it now would interfere. */
  function losesSubnets(networkId: string, before: PortDocument, port: PortDocument): boolean {
    const info = cache.facts(networkId);
    const has = new Set(port.fixed_ips.map((fixed) => fixed.subnet_id));
    const had = new Set(before.fixed_ips.map((fixed) => fixed.subnet_id));
    return info !== undefined && dhcpSubnetIds(info).some((id) => had.has(id) && !has.has(id));
  }

  return {
    network_create_end: ({ payload }) => {
      dismissed.delete(payload.network.id);
      return refetch(payload.network.id, payload.priority);
    },
    network_update_end: ({ payload }) => refetch(payload.network.id, payload.priority),
    network_delete_end: ({ payload }) => {
      dismissed.add(payload.network_id, cache.now());
      reconciler.dismiss(payload.network_id);
      queue(payload.network_id, payload.priority ?? USUAL_PRIORITY);
      return null;
    },
    subnet_create_end: ({ payload }) => refetch(payload.subnet.network_id, payload.priority),
    subnet_update_end: ({ payload }) => refetch(payload.subnet.network_id, payload.priority),
    subnet_delete_end: ({ payload }) => {
      const networkId = payload.network_id ?? cache.networkOfSubnet(payload.subnet_id);
      const info = networkId === undefined ? undefined : cache.withDhcpPorts(networkId);
      // This explains why the agent's own port lost a subnet: no further notification follows.
      if (info && ownDhcpPorts(info, options.ownDeviceId(info.id)).length > 0) reconciler.resume(info.id);
      return refetch(networkId, payload.priority);
    },
    port_create_end: ({ payload }) => portChanged(payload),
    port_update_end: ({ payload }) => portChanged(payload),
    port_delete_end: ({ payload }) => {
      const port = cache.deletePort(payload.port_id);
      options.onPortDeleted(payload.port_id);
      if (!port) return null;
      if (isOwnDhcpPort(port, options.ownDeviceId(port.network_id))) hold(port.network_id, 'its DHCP port was deleted');
      else queue(port.network_id, payload.priority ?? USUAL_PRIORITY);
      return null;
    },
    agent_updated: ({ payload }) => {
      options.onAgentUpdated(payload.admin_state_up);
      return null;
    },
  };
}
