import type { Config } from '../../../config/options.ts';
import { chosenKind } from '../../common/driver-choice.ts';
import type { L2DriverKind } from './kind.ts';
import { LINUX_BRIDGE } from './linuxbridge/kind.ts';

/** All L2 drivers. */
export const L2_DRIVERS: readonly L2DriverKind[] = [LINUX_BRIDGE];

/** Returns the driver that `[agent] l2_driver` names. Throws ConfigError naming those that exist. */
export function l2DriverKind(config: Pick<Config, 'agent'>, kinds: readonly L2DriverKind[] = L2_DRIVERS): L2DriverKind {
  return chosenKind('[agent] l2_driver', config.agent.l2_driver, kinds);
}
