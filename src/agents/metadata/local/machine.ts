import { hostName } from '../../../net/host-names.ts';
import type { MachineDocument } from '../../../rpc/topics/metadata.ts';
import type { Instance } from '../port-lookup.ts';

/** A machine as its metadata describes it. */
export interface Machine {
  readonly id: string;
  readonly project: string;
  /** Name as shown to people. */
  readonly name: string;
  /** With the domain, if there is one. */
  readonly hostname: string;
  readonly userData: Buffer | undefined;
  /** Names and OpenSSH keys. */
  readonly keys: readonly (readonly [name: string, key: string])[];
  readonly password: string | null;
  readonly securityGroups: readonly string[];
  readonly fixedIpv4: string;
  readonly floatingIp: string;
  readonly document: MachineDocument;
}

/** The availability zone that Nova shows for a machine whose host has none configured. */
export const AVAILABILITY_ZONE = 'nova';

/** Returns the first value that is neither undefined nor empty. */
const first = (values: readonly (string | null | undefined)[]): string | undefined => values.find(Boolean) ?? undefined;

/**
 * Returns the machine behind a server's description. Its host name is the `dns_name` of its first port that has one, because DNS and
 * DHCP use that too; otherwise its name, or that of a port, as far as it can be a host name; otherwise the one that DHCP assigns.
 * `address`: that of the request.
 */
export function machineOf(instance: Instance, document: MachineDocument, address: string, domain: string): Machine {
  const { ports } = document;
  const names = [document.name, ...ports.map((port) => port.name)];
  const assigned = ports.flatMap((port) => port.dns_assignment ?? []).map(({ hostname }) => hostname);
  const hosts = [...ports.map((port) => port.dns_name), ...names.map((name) => hostName(name ?? '')), ...assigned];
  const host = first(hosts) ?? `host-${address.replace(/[.:]/g, '-')}`;
  const fixed = ports.flatMap((port) => port.fixed_ips).map(({ ip_address }) => ip_address);
  return {
    id: instance.id,
    project: instance.project,
    name: first(names) ?? host,
    hostname: domain === '' ? host : `${host}.${domain.replace(/\.$/, '')}`,
    userData: document.user_data === null ? undefined : Buffer.from(document.user_data, 'base64'),
    keys: Object.entries(document.public_keys),
    password: document.password,
    securityGroups: document.security_groups,
    fixedIpv4: fixed.find((ip) => !ip.includes(':')) ?? address,
    floatingIp: document.floating_ips[0] ?? '',
    document,
  };
}
