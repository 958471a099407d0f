import { ConfigError } from '../../config/parse.ts';

/** Returns the driver selected by an option. Throws ConfigError that lists the available ones. */
export function chosenKind<K extends { readonly name: string }>(
  option: string,
  wanted: string,
  kinds: readonly K[],
): K {
  const found = kinds.find(({ name }) => name === wanted);
  if (found) return found;
  const names = kinds.map(({ name }) => name).join(', ');
  throw new ConfigError(`${option} = ${JSON.stringify(wanted)}: must be one of ${names}`);
}
