import { randomBytes } from 'node:crypto';

type Json = Readonly<Record<string, unknown>>;

/** Domain that every Keystone has. */
const DOMAIN = 'default';

/** A user with roles in a project. */
export interface Account {
  readonly user: string;
  readonly userId: string;
  readonly password: string;
  readonly project: string;
  readonly projectId: string;
}

export interface Login {
  readonly user: string;
  readonly password: string;
  /** Name of the project that the token is scoped to; default: a token without scope. */
  readonly project?: string | undefined;
  /** Id of the domain that it is scoped to instead. */
  readonly domain?: string | undefined;
  /** It is scoped to the whole system instead. */
  readonly system?: boolean;
}

/** Projects, users, roles and tokens of a Keystone, made as its administrator. All names are in the domain `Default`. */
export class KeystoneAccounts {
  readonly #url: string;
  readonly #adminPassword: string;
  #ownToken: Promise<string> | undefined;

  constructor(url: string, adminPassword: string) {
    this.#url = url;
    this.#adminPassword = adminPassword;
  }

  /**
   * Creates a user with roles in a project; project and roles are created if they are missing. Default: the roles `member` and
   * `reader`, a user named after the project.
   */
  async account(project: string, roles: readonly string[] = ['member', 'reader'], user = project): Promise<Account> {
    const password = randomBytes(12).toString('hex');
    const projectId = await this.#ensure('project', project, { domain_id: DOMAIN });
    const userId = await this.#ensure('user', user, { domain_id: DOMAIN, password });
    for (const role of roles) {
      const roleId = await this.#ensure('role', role, {});
      await this.admin('PUT', `projects/${projectId}/users/${userId}/roles/${roleId}`);
    }
    return { user, userId, password, project, projectId };
  }

  /** Returns a new token. */
  async token({ user, password, project, domain, system }: Login): Promise<string> {
    const scope = system
      ? { system: { all: true } }
      : domain
        ? { domain: { id: domain } }
        : project
          ? { project: { name: project, domain: { id: DOMAIN } } }
          : 'unscoped';
    const identity = { methods: ['password'], password: { user: { name: user, domain: { id: DOMAIN }, password } } };
    const response = await this.#request('POST', 'auth/tokens', { auth: { identity, scope } });
    return response.headers.get('x-subject-token') ?? '';
  }

  /** Returns a token of the administrator; default: for the project `admin`. */
  adminToken(scope: Pick<Login, 'project' | 'domain' | 'system'> = { project: 'admin' }): Promise<string> {
    return this.token({ user: 'admin', password: this.#adminPassword, ...scope });
  }

  /** Revokes a token. */
  async revoke(token: string): Promise<void> {
    await this.#request('DELETE', 'auth/tokens', undefined, { 'x-subject-token': token });
  }

  /** Sends a request as the administrator; returns the body of the answer. Throws unless it is a success. */
  async admin(method: string, path: string, body?: Json): Promise<Json> {
    const text = await (await this.#request(method, path, body, {})).text();
    return text === '' ? {} : (JSON.parse(text) as Json);
  }

  /** Returns the token of the administrator that its requests are made with. */
  #own(): Promise<string> {
    this.#ownToken ??= this.adminToken();
    this.#ownToken.catch(() => {
      this.#ownToken = undefined;
    });
    return this.#ownToken;
  }

  /** Creates what has that name; returns its id, also when it existed. */
  async #ensure(kind: 'project' | 'user' | 'role', name: string, values: Json): Promise<string> {
    const found = await this.admin('GET', `${kind}s?name=${encodeURIComponent(name)}`);
    const [existing] = found[`${kind}s`] as readonly { readonly id: string }[];
    if (existing) return existing.id;
    const made = await this.admin('POST', `${kind}s`, { [kind]: { name, ...values } });
    return (made[kind] as { readonly id: string }).id;
  }

  /** With `headers`, as the administrator. */
  async #request(method: string, path: string, body?: Json, headers?: Readonly<Record<string, string>>) {
    const send = async () =>
      fetch(`${this.#url}/${path}`, {
        method,
        headers: {
          ...(body && { 'content-type': 'application/json' }),
          ...(headers && { 'x-auth-token': await this.#own(), ...headers }),
        },
        ...(body && { body: JSON.stringify(body) }),
      });
    let response = await send();
    if (headers && response.status === 401) {
      this.#ownToken = undefined;
      response = await send();
    }
    if (response.ok) return response;
    throw new Error(`Keystone: ${method} ${path}: ${response.status} ${await response.text()}`);
  }
}
