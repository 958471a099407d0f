import type { PortDocument, SubnetDocument } from '../documents.ts';
import type { TopicContract } from '../topic.ts';
import { PLUGIN_TOPIC, type PortFilters } from './plugin.ts';

/** What a metadata agent tells a machine about a network. */
export interface MachineNetwork {
  readonly id: string;
  readonly mtu: number;
  readonly subnets: readonly SubnetDocument[];
}

/** A machine: the ports of a project with the same device_id, and what was stored for it below /neutrino/v1/machines. */
export interface MachineDocument {
  /** In the order of their creation. */
  readonly ports: readonly PortDocument[];
  readonly networks: readonly MachineNetwork[];
  /** Names of the security groups of its ports. */
  readonly security_groups: readonly string[];
  readonly floating_ips: readonly string[];
  readonly name: string | null;
  /** In base64. */
  readonly user_data: string | null;
  /** OpenSSH keys by name. */
  readonly public_keys: Readonly<Record<string, string>>;
  /** As the machine has set it: encrypted, and only once. */
  readonly password: string | null;
}

interface MetadataMethods {
  get_ports: { args: { filters: PortFilters }; result: readonly PortDocument[] };
  /** Neutrino's own; null: no port of the project has the device_id. */
  get_machine: { args: { device_id: string; project_id: string }; result: MachineDocument | null };
  /** Neutrino's own; false: it has one already. */
  set_machine_password: { args: { device_id: string; project_id: string; password: string }; result: boolean };
}

/**
 * What metadata agents request on `q-plugin`. The first method has the name of a newer one for DHCP agents, and the oldest version,
 * which every server accepts. Only Neutrino's server has the others.
 */
export const METADATA_TOPIC: TopicContract<MetadataMethods> = {
  topic: PLUGIN_TOPIC.topic,
  version: '1.0',
  methods: { get_ports: '1.0', get_machine: '1.0', set_machine_password: '1.0' },
};
export type { MetadataMethods };
