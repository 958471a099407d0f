import type { Config } from '../../../config/options.ts';
import { chosenKind } from '../../common/driver-choice.ts';
import type { InterfaceDriverKind } from './kind.ts';
import { LINUX_BRIDGE } from './linuxbridge/kind.ts';
import { OPEN_VSWITCH } from './openvswitch/kind.ts';

/** All interface drivers. */
export const INTERFACE_DRIVERS: readonly InterfaceDriverKind[] = [LINUX_BRIDGE, OPEN_VSWITCH];

/** Returns the driver that `interface_driver` names. Throws ConfigError naming those that exist. */
export function interfaceDriverKind(
  config: Pick<Config, 'DEFAULT'>,
  kinds: readonly InterfaceDriverKind[] = INTERFACE_DRIVERS,
): InterfaceDriverKind {
  return chosenKind('[DEFAULT] interface_driver', config.DEFAULT.interface_driver, kinds);
}
