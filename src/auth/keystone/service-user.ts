import { ConfigError } from '../../config/parse.ts';
import type { ProviderParts } from '../provider-parts.ts';
import type { KeystoneClient, KeystoneOptions } from './client.ts';
import { KeystoneFailure } from './failure.ts';
import { type Endpoint, parseToken } from './token.ts';

/** A token of Neutrino's own user, and where tokens are validated with it. */
export interface OwnToken {
  readonly token: string;
  /** Base URL, with `/v3`. */
  readonly endpoint: string;
}

interface Login extends OwnToken {
  /** Milliseconds since 1970 from which it is replaced. */
  readonly renewFrom: number;
  readonly expiresAt: number;
}

/** A token is replaced when so much of its life is over, but no earlier than `MAX_MARGIN_MS` before its end. */
const RENEW_AFTER = 0.8;
const MAX_MARGIN_MS = 120_000;
/** Pause after a rejected password, because Keystone may lock users with many failed logins. */
const REJECTED_MS = 10_000;

/** Neutrino's own user in Keystone: logs in when a token is needed, and again before it expires. */
export class ServiceUser {
  readonly #client: KeystoneClient;
  readonly #options: KeystoneOptions;
  readonly #log: ProviderParts['log'];
  #login: Login | undefined;
  #pending: Promise<Login> | undefined;
  #rejected: { readonly failure: KeystoneFailure; readonly until: number } | undefined;
  #saidFallback = false;

  /** Throws ConfigError for options that are missing. */
  constructor(client: KeystoneClient, options: KeystoneOptions, log: ProviderParts['log']) {
    requireOptions(options);
    this.#client = client;
    this.#options = options;
    this.#log = log;
  }

  /** Returns a valid token. Throws KeystoneFailure. */
  async token(): Promise<OwnToken> {
    const login = this.#login;
    const now = Date.now();
    if (!login || now >= login.expiresAt) return this.#renew();
    // Its last fifth bridges a Keystone that is away; a failure counts only when it is over.
    if (now >= login.renewFrom) this.#renew().catch(() => undefined);
    return login;
  }

  /** Returns a token other than one that Keystone has rejected. Throws KeystoneFailure. */
  async replace({ token }: OwnToken): Promise<OwnToken> {
    if (this.#login?.token === token) this.#login = undefined;
    return this.token();
  }

  /** Logs in once, however many ask. */
  #renew(): Promise<Login> {
    this.#pending ??= this.#logIn()
      .then((login) => {
        this.#login = login;
        return login;
      })
      .finally(() => {
        this.#pending = undefined;
      });
    return this.#pending;
  }

  async #logIn(): Promise<Login> {
    if (this.#rejected && performance.now() < this.#rejected.until) throw this.#rejected.failure;
    const begin = Date.now();
    const authUrl = withVersion(this.#options.auth_url);
    const { status, headers, body } = await this.#client.send({
      method: 'POST',
      url: `${authUrl}/auth/tokens`,
      headers: { 'content-type': 'application/json' },
      body: loginBody(this.#options),
    });
    if (status === 401) {
      const failure = new KeystoneFailure(
        `Keystone at ${authUrl} rejects the login of ${describeUser(this.#options)}: check user, password, project and domains in [keystone_authtoken]`,
      );
      this.#rejected = { failure, until: performance.now() + REJECTED_MS };
      // The present token still works; this is when the operator can act without an outage.
      if (this.#login) this.#log.warn(failure.message);
      throw failure;
    }
    const token = headers['x-subject-token'];
    const known = status === 201 ? parseToken(body) : undefined;
    if (!known || typeof token !== 'string')
      throw new KeystoneFailure(
        `${authUrl}/auth/tokens answers ${status} to a login, without a token: is it Keystone?`,
      );
    const life = known.expiresAt - begin;
    const renewFrom = known.expiresAt - Math.min(life * (1 - RENEW_AFTER), MAX_MARGIN_MS);
    return { token, endpoint: this.#endpoint(known.endpoints, authUrl), renewFrom, expiresAt: known.expiresAt };
  }

  /** Returns the configured endpoint of the catalogue. */
  #endpoint(endpoints: readonly Endpoint[], authUrl: string): string {
    const { interface: wanted, region_name: region } = this.#options;
    const found = endpoints.find((one) => one.interface === wanted && (region === '' || one.region === region));
    if (found?.url) return withVersion(found.url);
    const where = region === '' ? '' : ` in region ${region}`;
    if (!this.#saidFallback)
      this.#log.warn(
        `Keystone's catalogue has no ${wanted} identity endpoint${where}: tokens are validated at ${authUrl}`,
      );
    this.#saidFallback = true;
    return authUrl;
  }
}

/** Returns the URL of version 3, whichever a URL names. */
const withVersion = (url: string): string => `${url.replace(/\/+$/, '').replace(/\/v(2\.0|3)$/, '')}/v3`;

function requireOptions(options: KeystoneOptions): void {
  const missing = [
    options.auth_url === '' && 'auth_url',
    options.username === '' && options.user_id === '' && 'username',
    options.password === '' && 'password',
    options.project_name === '' && options.project_id === '' && 'project_name',
  ].filter((name) => name !== false);
  if (missing.length === 0) return;
  const lines = missing.map((name) => `[keystone_authtoken] ${name}: must be set, because auth_strategy is keystone`);
  throw new ConfigError(lines.join('\n'));
}

const domain = (id: string, name: string) => (id !== '' ? { id } : name !== '' ? { name } : { id: 'default' });

function loginBody(options: KeystoneOptions): unknown {
  const user = options.user_id
    ? { id: options.user_id }
    : { name: options.username, domain: domain(options.user_domain_id, options.user_domain_name) };
  const project = options.project_id
    ? { id: options.project_id }
    : { name: options.project_name, domain: domain(options.project_domain_id, options.project_domain_name) };
  const { auth_type: method } = options;
  return {
    auth: {
      identity: { methods: [method], [method]: { user: { ...user, password: options.password } } },
      scope: { project },
    },
  };
}

const describeUser = ({ username, user_id }: KeystoneOptions): string =>
  user_id ? `user ${user_id}` : `user '${username}'`;
