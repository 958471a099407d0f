import type { IdentityProvider } from './contract.ts';
import { keystone } from './keystone/provider.ts';
import { labProvider } from './lab.ts';
import { noauth } from './noauth.ts';
import type { ProviderParts } from './provider-parts.ts';

/** The identity providers, by their name in `auth_strategy`. */
const PROVIDERS: Readonly<Record<string, (parts: ProviderParts) => Promise<IdentityProvider> | IdentityProvider>> = {
  noauth: () => noauth,
  keystone,
  lab: labProvider,
};

/** Returns the provider selected by `auth_strategy`. Throws an Error that lists the available ones. */
export async function identityProvider(parts: ProviderParts): Promise<IdentityProvider> {
  const { auth_strategy: name } = parts.config.DEFAULT;
  const make = Object.hasOwn(PROVIDERS, name) ? PROVIDERS[name] : undefined;
  if (make) return make(parts);
  throw new Error(`[DEFAULT] auth_strategy: '${name}' is none of ${Object.keys(PROVIDERS).join(', ')}`);
}
