import type { PortDocument } from '../documents.ts';
import type { TopicContract } from '../topic.ts';
import { PLUGIN_TOPIC, type PortFilters } from './plugin.ts';

interface MetadataMethods {
  get_ports: { args: { filters: PortFilters }; result: readonly PortDocument[] };
}

/**
 * What metadata agents request on `q-plugin`. The method has the name of a newer one for DHCP agents, and the oldest version,
 * which every server accepts.
 */
export const METADATA_TOPIC: TopicContract<MetadataMethods> = {
  topic: PLUGIN_TOPIC.topic,
  version: '1.0',
  methods: { get_ports: '1.0' },
};
