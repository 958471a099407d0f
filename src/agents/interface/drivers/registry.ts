import type { Config } from '../../../config/options.ts';
import { ConfigError } from '../../../config/parse.ts';
import type { InterfaceDriverKind } from './kind.ts';
import { LINUX_BRIDGE } from './linuxbridge/kind.ts';

/** All interface drivers. */
export const INTERFACE_DRIVERS: readonly InterfaceDriverKind[] = [LINUX_BRIDGE];

/** Returns the driver that `interface_driver` names. Throws ConfigError naming those that exist. */
export function interfaceDriverKind(
  config: Pick<Config, 'DEFAULT'>,
  kinds: readonly InterfaceDriverKind[] = INTERFACE_DRIVERS,
): InterfaceDriverKind {
  const { interface_driver: wanted } = config.DEFAULT;
  const found = kinds.find(({ name }) => name === wanted);
  if (found) return found;
  const names = kinds.map(({ name }) => name).join(', ');
  throw new ConfigError(`[DEFAULT] interface_driver = ${JSON.stringify(wanted)}: must be one of ${names}`);
}
