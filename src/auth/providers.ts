import type { Config } from '../config/options.ts';
import type { IdentityProvider } from './contract.ts';
import { noauth } from './noauth.ts';

/** The identity providers, by their name in `auth_strategy`. */
const PROVIDERS: Readonly<Record<string, (config: Config) => IdentityProvider>> = { noauth: () => noauth };

/** Returns the provider selected by `auth_strategy`. Throws an Error that lists the available ones. */
export function identityProvider(config: Config): IdentityProvider {
  const { auth_strategy: name } = config.DEFAULT;
  const make = Object.hasOwn(PROVIDERS, name) ? PROVIDERS[name] : undefined;
  if (make) return make(config);
  throw new Error(`[DEFAULT] auth_strategy: '${name}' is none of ${Object.keys(PROVIDERS).join(', ')}`);
}
