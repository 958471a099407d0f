import type { Config } from '../../../config/options.ts';
import { ConfigError } from '../../../config/parse.ts';
import type { L2DriverKind } from './kind.ts';
import { LINUX_BRIDGE } from './linuxbridge/kind.ts';

/** All L2 drivers. */
export const L2_DRIVERS: readonly L2DriverKind[] = [LINUX_BRIDGE];

/** Returns the driver that `[agent] l2_driver` names. Throws ConfigError naming those that exist. */
export function l2DriverKind(config: Pick<Config, 'agent'>, kinds: readonly L2DriverKind[] = L2_DRIVERS): L2DriverKind {
  const { l2_driver: wanted } = config.agent;
  const found = kinds.find(({ name }) => name === wanted);
  if (found) return found;
  const names = kinds.map(({ name }) => name).join(', ');
  throw new ConfigError(`[agent] l2_driver = ${JSON.stringify(wanted)}: must be one of ${names}`);
}
