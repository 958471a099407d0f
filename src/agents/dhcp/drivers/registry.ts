import type { Config } from '../../../config/options.ts';
import { chosenKind } from '../../common/driver-choice.ts';
import { DNSMASQ } from './dnsmasq/kind.ts';
import type { DhcpDriverKind } from './kind.ts';

/** All DHCP drivers. */
export const DHCP_DRIVERS: readonly DhcpDriverKind[] = [DNSMASQ];

/** Returns the driver that `dhcp_driver` names. Throws ConfigError naming those that exist. */
export function dhcpDriverKind(config: Config, kinds: readonly DhcpDriverKind[] = DHCP_DRIVERS): DhcpDriverKind {
  return chosenKind('[DEFAULT] dhcp_driver', config.DEFAULT.dhcp_driver, kinds);
}
