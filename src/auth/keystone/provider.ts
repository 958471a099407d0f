import { hash } from 'node:crypto';
import { neutronError } from '../../resources/errors.ts';
import type { Headers, Identity, IdentityProvider } from '../contract.ts';
import type { ProviderParts } from '../provider-parts.ts';
import { Unauthorized } from '../unauthorized.ts';
import { TokenCache } from './cache.ts';
import { type KeystoneOptions, ServiceClient } from './client.ts';
import { ServiceFailure } from './failure.ts';
import { ServiceUser } from './service-user.ts';
import { TokenValidator, type Validated } from './validate.ts';

const CACHED_TOKENS = 10_000;
/** An unknown token stays unknown: this only keeps a client that repeats it from costing a request each time. */
const INVALID_MS = 5_000;
/** Between two reasons of one outage in the log, because requests that fail together may alternate between two. */
const LOG_AGAIN_MS = 10_000;
/** Tokens that may wait for Keystone at a time. */
const MAX_WAITING = 1_000;
/** Visible ASCII; the longest tokens in use, signed ones of Keystone's, have some thousand characters. */
const TOKEN = /^[\x21-\x7e]{1,8192}$/;

type KeystoneParts = Pick<ProviderParts, 'config' | 'log'>;

/** Validates tokens (`X-Auth-Token`, `X-Service-Token`) against a Keystone, `[keystone_authtoken]`. Throws ConfigError. */
export function keystone({ config, log }: KeystoneParts): IdentityProvider {
  return new KeystoneProvider(config.keystone_authtoken, log);
}

class KeystoneProvider implements IdentityProvider {
  readonly #options: KeystoneOptions;
  readonly #log: KeystoneParts['log'];
  readonly #client: ServiceClient;
  readonly #validator: TokenValidator;
  readonly #cache: TokenCache;
  /** Validations in progress by key: one, however many requests have the token. */
  readonly #waiting = new Map<string, Promise<Validated | undefined>>();
  /** Why Keystone cannot be asked, and when that was logged; undefined: it can. */
  #outage: { readonly why: string; readonly loggedAt: number } | undefined;
  #closed = false;

  constructor(options: KeystoneOptions, log: KeystoneParts['log']) {
    this.#options = options;
    this.#log = log;
    this.#client = new ServiceClient(options);
    const user = new ServiceUser(this.#client, options, log);
    this.#validator = new TokenValidator(this.#client, user);
    const ms = options.token_cache_time * 1000;
    this.#cache = new TokenCache({ ms, invalidMs: Math.min(ms, INVALID_MS), entries: CACHED_TOKENS });
    // So that a wrong configuration shows in the log at once, and not at the first request.
    user.token().then(
      () => undefined,
      (error: unknown) => this.#failed(error),
    );
  }

  async identify(headers: Headers): Promise<Identity> {
    const token = headers['x-auth-token'];
    if (typeof token !== 'string' || token === '') throw this.#unauthorized();
    const service = headers['x-service-token'];
    if (service === undefined || service === '') return this.#author(token, false);
    const { roles } = await this.#author(service, false);
    const trusted = this.#options.service_token_roles.some((role) => roles.includes(role.toLowerCase()));
    if (!trusted && this.#options.service_token_roles_required) throw this.#unauthorized();
    return { ...(await this.#author(token, trusted)), serviceRoles: roles };
  }

  /** Returns the author of a token. Throws Unauthorized, and ServiceUnavailable if Keystone cannot be asked. */
  async #author(token: string | readonly string[], allowExpired: boolean): Promise<Identity> {
    if (typeof token !== 'string' || !TOKEN.test(token)) throw this.#unauthorized();
    const key = hash('sha256', token, 'base64');
    const known =
      this.#cached(key) ??
      (allowExpired ? await this.#validated(`${key}+expired`, token, true) : await this.#validated(key, token, false));
    if (!known) throw this.#unauthorized();
    return known.identity;
  }

  /** Returns the author of a token that has been validated and has not expired. */
  #cached(key: string): Validated | undefined {
    const known = this.#cache.get(key)?.known;
    return known && Date.now() < known.expiresAt ? known : undefined;
  }

  #validated(
    key: string,
    token: string,
    allowExpired: boolean,
  ): Promise<Validated | undefined> | Validated | undefined {
    const cached = this.#cache.get(key);
    if (cached && (allowExpired || !cached.known || Date.now() < cached.known.expiresAt)) return cached.known;
    const waiting = this.#waiting.get(key);
    if (waiting) return waiting;
    if (this.#waiting.size >= MAX_WAITING)
      throw neutronError('ServiceUnavailable', { reason: 'Too many tokens wait for Keystone; try again.' });
    const validation = this.#ask(key, token, allowExpired).finally(() => this.#waiting.delete(key));
    this.#waiting.set(key, validation);
    return validation;
  }

  async #ask(key: string, token: string, allowExpired: boolean): Promise<Validated | undefined> {
    const since = performance.now();
    let known: Validated | undefined;
    try {
      known = await this.#validator.validate(token, allowExpired);
    } catch (error) {
      throw this.#failed(error);
    }
    if (this.#outage !== undefined) this.#log.info('Keystone answers again: requests are authenticated');
    this.#outage = undefined;
    if (known && !allowExpired && Date.now() >= known.expiresAt) {
      this.#log.warn('Keystone calls a token valid that has expired by the clock of this host: the clocks differ');
      known = undefined;
    }
    this.#cache.set(key, known, since);
    return known;
  }

  /** Logs why Keystone cannot be asked, once for each reason; returns what the client is told, which is no detail of the site. */
  #failed(error: unknown): Error {
    if (!(error instanceof ServiceFailure)) return error instanceof Error ? error : new Error(String(error));
    const now = performance.now();
    const isNew = !this.#outage || (this.#outage.why !== error.message && now >= this.#outage.loggedAt + LOG_AGAIN_MS);
    if (isNew && !this.#closed) {
      this.#log.error(`${error.message}; requests are answered with 503 until Keystone can be asked`);
      this.#outage = { why: error.message, loggedAt: now };
    }
    return neutronError('ServiceUnavailable', { reason: 'Keystone cannot validate the token now; try again.' });
  }

  #unauthorized(): Unauthorized {
    return new Unauthorized(this.#options.www_authenticate_uri || this.#options.auth_url);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#client.close();
  }
}
