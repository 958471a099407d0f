import type { Config } from '../../../config/options.ts';
import { ConfigError } from '../../../config/parse.ts';
import { DNSMASQ } from './dnsmasq/kind.ts';
import type { DhcpDriverKind } from './kind.ts';

/** All DHCP drivers. */
export const DHCP_DRIVERS: readonly DhcpDriverKind[] = [DNSMASQ];

/** Returns the driver that `dhcp_driver` names. Throws ConfigError naming those that exist. */
export function dhcpDriverKind(config: Config, kinds: readonly DhcpDriverKind[] = DHCP_DRIVERS): DhcpDriverKind {
  const { dhcp_driver: wanted } = config.DEFAULT;
  const found = kinds.find(({ name }) => name === wanted);
  if (found) return found;
  const names = kinds.map(({ name }) => name).join(', ');
  throw new ConfigError(`[DEFAULT] dhcp_driver = ${JSON.stringify(wanted)}: must be one of ${names}`);
}
