import type { FastifyBaseLogger } from 'fastify';
import type { Config } from '../config/options.ts';
import type { Database } from '../db/database.ts';
import type { IdentityProvider } from './contract.ts';
import { noauth } from './noauth.ts';

/** What providers are built with. */
export interface ProviderParts {
  readonly config: Config;
  readonly db: Database;
  readonly log: Pick<FastifyBaseLogger, 'info' | 'warn' | 'error'>;
}

/** The identity providers, by their name in `auth_strategy`. */
const PROVIDERS: Readonly<Record<string, (parts: ProviderParts) => Promise<IdentityProvider> | IdentityProvider>> = {
  noauth: () => noauth,
};

/** Returns the provider selected by `auth_strategy`. Throws an Error that lists the available ones. */
export async function identityProvider(parts: ProviderParts): Promise<IdentityProvider> {
  const { auth_strategy: name } = parts.config.DEFAULT;
  const make = Object.hasOwn(PROVIDERS, name) ? PROVIDERS[name] : undefined;
  if (make) return make(parts);
  throw new Error(`[DEFAULT] auth_strategy: '${name}' is none of ${Object.keys(PROVIDERS).join(', ')}`);
}
