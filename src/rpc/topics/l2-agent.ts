import type { PortDocument } from '../documents.ts';
import type { TopicContract } from '../topic.ts';

interface PortUpdateMethods {
  port_update: {
    args: {
      port: PortDocument;
      network_type?: string;
      segmentation_id?: number | null;
      physical_network?: string | null;
    };
    result: null;
  };
}
interface PortDeleteMethods {
  port_delete: { args: { port_id: string }; result: null };
}
interface NetworkDeleteMethods {
  network_delete: { args: { network_id: string }; result: null };
}
interface NetworkUpdateMethods {
  network_update: { args: { network: { id: string; mtu?: number; admin_state_up?: boolean } }; result: null };
}

/** `q-agent-notifier-port-update` (fanout): a bound port changed; its L2 agent requests the details of the device again. */
export const PORT_UPDATE_TOPIC: TopicContract<PortUpdateMethods> = {
  topic: 'q-agent-notifier-port-update',
  version: '1.4',
  methods: { port_update: '1.0' },
};
/** `q-agent-notifier-port-delete` (fanout). */
export const PORT_DELETE_TOPIC: TopicContract<PortDeleteMethods> = {
  topic: 'q-agent-notifier-port-delete',
  version: '1.4',
  methods: { port_delete: '1.0' },
};
/** `q-agent-notifier-network-delete` (fanout). */
export const NETWORK_DELETE_TOPIC: TopicContract<NetworkDeleteMethods> = {
  topic: 'q-agent-notifier-network-delete',
  version: '1.4',
  methods: { network_delete: '1.0' },
};
/** `q-agent-notifier-network-update` (fanout). */
export const NETWORK_UPDATE_TOPIC: TopicContract<NetworkUpdateMethods> = {
  topic: 'q-agent-notifier-network-update',
  version: '1.4',
  methods: { network_update: '1.4' },
};
