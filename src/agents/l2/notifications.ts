import type { RpcTransport } from '../../rpc/contract.ts';
import type { PortDocument } from '../../rpc/documents.ts';
import { topicEndpoint } from '../../rpc/topic.ts';
import {
  NETWORK_DELETE_TOPIC,
  NETWORK_UPDATE_TOPIC,
  PORT_DELETE_TOPIC,
  PORT_UPDATE_TOPIC,
} from '../../rpc/topics/l2-agent.ts';
import { SECURITY_GROUP_UPDATE_TOPIC } from '../../rpc/topics/security-groups.ts';

/** Receives notifications of changes. They only indicate what to check; the current state is requested from the server. */
interface NotificationHandlers {
  portUpdated(port: PortDocument): void;
  portDeleted(portId: string): void;
  networkUpdated(networkId: string): void;
  networkDeleted(networkId: string): void;
  /** Rules of these groups, or their members. */
  securityGroupRulesChanged(groups: readonly string[]): void;
  securityGroupMembersChanged(groups: readonly string[]): void;
  /** Some of these may have been lost. */
  lost(): void;
}

/** Receives the notifications for L2 agents until `close`. */
export async function serveNotifications(
  transport: RpcTransport,
  host: string,
  on: NotificationHandlers,
): Promise<{ close(): Promise<void> }> {
  const served = await Promise.all([
    transport.serve(
      PORT_UPDATE_TOPIC.topic,
      host,
      topicEndpoint(PORT_UPDATE_TOPIC, {
        port_update: ({ port }) => {
          on.portUpdated(port);
          return null;
        },
      }),
      on.lost,
    ),
    transport.serve(
      PORT_DELETE_TOPIC.topic,
      host,
      topicEndpoint(PORT_DELETE_TOPIC, {
        port_delete: ({ port_id }) => {
          on.portDeleted(port_id);
          return null;
        },
      }),
      on.lost,
    ),
    transport.serve(
      NETWORK_UPDATE_TOPIC.topic,
      host,
      topicEndpoint(NETWORK_UPDATE_TOPIC, {
        network_update: ({ network }) => {
          on.networkUpdated(network.id);
          return null;
        },
      }),
      on.lost,
    ),
    transport.serve(
      SECURITY_GROUP_UPDATE_TOPIC.topic,
      host,
      topicEndpoint(SECURITY_GROUP_UPDATE_TOPIC, {
        security_groups_rule_updated: ({ security_groups }) => {
          on.securityGroupRulesChanged(security_groups);
          return null;
        },
        security_groups_member_updated: ({ security_groups }) => {
          on.securityGroupMembersChanged(security_groups);
          return null;
        },
      }),
      on.lost,
    ),
    transport.serve(
      NETWORK_DELETE_TOPIC.topic,
      host,
      topicEndpoint(NETWORK_DELETE_TOPIC, {
        network_delete: ({ network_id }) => {
          on.networkDeleted(network_id);
          return null;
        },
      }),
      on.lost,
    ),
  ]);
  return {
    close: async () => {
      await Promise.all(served.map((server) => server.close()));
    },
  };
}
