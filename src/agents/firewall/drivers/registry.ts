import type { Logger } from 'pino';
import type { Config } from '../../../config/options.ts';
import { chosenKind } from '../../common/driver-choice.ts';
import type { FirewallKind } from './kind.ts';
import { NFTABLES } from './nftables/kind.ts';
import { NOOP } from './noop/kind.ts';

/** All firewalls. */
export const FIREWALLS: readonly FirewallKind[] = [NOOP, NFTABLES];

/** Neutron's, which configuration files of stock agents name: accepted so that such a file need not be edited. */
export const STOCK_FIREWALLS: readonly string[] = ['iptables', 'iptables_hybrid', 'openvswitch'];

/**
 * Returns the firewall that `[securitygroup] firewall_driver` names; for one that only Neutron has, noop and a warning. Throws
 * ConfigError naming those that exist.
 */
export function firewallKind(
  config: Pick<Config, 'securitygroup'>,
  log?: Logger,
  kinds: readonly FirewallKind[] = FIREWALLS,
): FirewallKind {
  const { firewall_driver: wanted } = config.securitygroup;
  if (!STOCK_FIREWALLS.includes(wanted)) return chosenKind('[securitygroup] firewall_driver', wanted, kinds);
  log?.warn(`[securitygroup] firewall_driver = ${wanted} exists only in Neutron: ports are not filtered`);
  return NOOP;
}
