import { ConfigError } from '../../config/parse.ts';
import type { ProviderParts } from '../provider-parts.ts';
import type { KeystoneOptions, ServiceClient } from './client.ts';
import { ServiceFailure } from './failure.ts';
import { type Endpoint, parseToken } from './token.ts';

/** A token of Neutrino's own user, and where it is used. */
export interface OwnToken {
  readonly token: string;
  /** Base URL of the service; of Keystone with `/v3`. */
  readonly endpoint: string;
}

/** How a user logs in, and which endpoint it uses: options of `[keystone_authtoken]`, or those of the same meaning. */
export type LoginOptions = Pick<
  KeystoneOptions,
  | ('auth_url' | 'auth_type' | 'username' | 'user_id' | 'password' | 'user_domain_id' | 'user_domain_name')
  | ('project_name' | 'project_id' | 'project_domain_id' | 'project_domain_name' | 'region_name' | 'interface')
>;

/** What a user logs in for. */
export interface Purpose {
  /** Section of the options, named in messages. */
  readonly section: string;
  /** Why the section is needed. */
  readonly because: string;
  /** Type of the service that is used: `compute`. */
  readonly type: string;
  /** Returns the endpoint if the catalogue has none, or throws ServiceFailure. `missing`: says so. */
  without(authUrl: string, missing: string): string;
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

/** A user of Neutrino's own in Keystone: logs in when a token is needed, and again before it expires. */
export class ServiceUser {
  readonly #client: ServiceClient;
  readonly #options: LoginOptions;
  readonly #log: ProviderParts['log'];
  readonly #purpose: Purpose;
  #login: Login | undefined;
  #pending: Promise<Login> | undefined;
  #rejected: { readonly failure: ServiceFailure; readonly until: number } | undefined;

  /** `purpose`; default: to validate tokens. Throws ConfigError for options that are missing. */
  constructor(
    client: ServiceClient,
    options: LoginOptions,
    log: ProviderParts['log'],
    purpose: Purpose = validation(log),
  ) {
    requireOptions(options, purpose);
    this.#client = client;
    this.#options = options;
    this.#log = log;
    this.#purpose = purpose;
  }

  /** Returns a valid token. Throws ServiceFailure. */
  async token(): Promise<OwnToken> {
    const login = this.#login;
    const now = Date.now();
    if (!login || now >= login.expiresAt) return this.#renew();
    // Its last fifth bridges a Keystone that is away; a failure counts only when it is over.
    if (now >= login.renewFrom) this.#renew().catch(() => undefined);
    return login;
  }

  /** Returns a token other than one that Keystone has rejected. Throws ServiceFailure. */
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
      const failure = new ServiceFailure(
        `Keystone at ${authUrl} rejects the login of ${describeUser(this.#options)}: check user, password, project and domains in [${this.#purpose.section}]`,
      );
      this.#rejected = { failure, until: performance.now() + REJECTED_MS };
      // The present token still works; this is when the operator can act without an outage.
      if (this.#login) this.#log.warn(failure.message);
      throw failure;
    }
    const token = headers['x-subject-token'];
    const known = status === 201 ? parseToken(body) : undefined;
    if (!known || typeof token !== 'string')
      throw new ServiceFailure(`${authUrl}/auth/tokens answers ${status} to a login, without a token: is it Keystone?`);
    const life = known.expiresAt - begin;
    const renewFrom = known.expiresAt - Math.min(life * (1 - RENEW_AFTER), MAX_MARGIN_MS);
    return { token, endpoint: this.#endpoint(known.endpoints, authUrl), renewFrom, expiresAt: known.expiresAt };
  }

  /** Returns the configured endpoint of the catalogue. */
  #endpoint(endpoints: readonly Endpoint[], authUrl: string): string {
    const { interface: wanted, region_name: region } = this.#options;
    const { type } = this.#purpose;
    const found = endpoints.find(
      (one) => one.type === type && one.interface === wanted && (region === '' || one.region === region),
    );
    if (found?.url) return type === 'identity' ? withVersion(found.url) : found.url.replace(/\/+$/, '');
    const where = region === '' ? '' : ` in region ${region}`;
    return this.#purpose.without(authUrl, `Keystone's catalogue has no ${wanted} ${type} endpoint${where}`);
  }
}

/** Tokens are validated at auth_url if the catalogue does not name Keystone itself, which is logged once. */
function validation(log: ProviderParts['log']): Purpose {
  let isLogged = false;
  return {
    section: 'keystone_authtoken',
    because: 'auth_strategy is keystone',
    type: 'identity',
    without(authUrl, missing) {
      if (!isLogged) log.warn(`${missing}: tokens are validated at ${authUrl}`);
      isLogged = true;
      return authUrl;
    },
  };
}

/** Returns the URL of version 3, whichever a URL names. */
const withVersion = (url: string): string => `${url.replace(/\/+$/, '').replace(/\/v(2\.0|3)$/, '')}/v3`;

function requireOptions(options: LoginOptions, { section, because }: Purpose): void {
  const missing = [
    options.auth_url === '' && 'auth_url',
    options.username === '' && options.user_id === '' && 'username',
    options.password === '' && 'password',
    options.project_name === '' && options.project_id === '' && 'project_name',
  ].filter((name) => name !== false);
  if (missing.length === 0) return;
  const lines = missing.map((name) => `[${section}] ${name}: must be set, because ${because}`);
  throw new ConfigError(lines.join('\n'));
}

const domain = (id: string, name: string) => (id !== '' ? { id } : name !== '' ? { name } : { id: 'default' });

function loginBody(options: LoginOptions): unknown {
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

const describeUser = ({ username, user_id }: LoginOptions): string =>
  user_id ? `user ${user_id}` : `user '${username}'`;
