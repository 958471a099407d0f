import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify';
import { type Logger, pino } from 'pino';
import { parse } from 'yaml';
import type { IdentityProvider } from '../../src/auth/contract.ts';
import { identityProvider } from '../../src/auth/providers.ts';
import { openCore, type TestCore } from '../support/core.ts';
import { apiOf, servicesOf } from '../support/services.ts';

type Overrides = NonNullable<Parameters<typeof openCore>[0]>;

/** A user who logs in with a password. */
export interface TestUser {
  readonly name: string;
  readonly password: string;
}

/** The API under `auth_strategy = lab`, with its own database and state path. */
export interface IdentityWorld {
  readonly core: TestCore;
  readonly app: FastifyInstance;
  readonly provider: IdentityProvider;
  /** The users of the first `identity.yaml`. */
  readonly admin: TestUser;
  readonly demo: TestUser;
  /** Everything that was logged. */
  readonly logged: readonly string[];
  request(options: InjectOptions, token?: string): Promise<LightMyRequestResponse>;
  /** Logs in; `scope` as in the body, default: the user's default project. */
  login(user: TestUser, scope?: unknown): Promise<LightMyRequestResponse>;
  /** Returns a new token. */
  token(user: TestUser, scope?: unknown): Promise<string>;
  close(): Promise<void>;
}

/** Another server on the same database. */
export async function serverOn(core: TestCore, log: Logger = core.log) {
  const provider = await identityProvider({ ...core, log });
  const app = apiOf(core, servicesOf(core), log, provider);
  return { provider, app };
}

export const passwordLogin = ({ name, password }: TestUser, scope?: unknown) => ({
  auth: {
    identity: { methods: ['password'], password: { user: { name, domain: { id: 'default' }, password } } },
    ...(scope === undefined ? {} : { scope }),
  },
});

export async function identityWorld(overrides: Overrides = {}): Promise<IdentityWorld> {
  const core = await openCore({ ...overrides, DEFAULT: { ...overrides.DEFAULT, auth_strategy: 'lab' } });
  const logged: string[] = [];
  const { app, provider } = await serverOn(core, pino({ level: 'info' }, { write: (line) => void logged.push(line) }));
  const { users } = parse(readFileSync(join(core.config.DEFAULT.state_path, 'identity.yaml'), 'utf8')) as {
    readonly users: readonly [TestUser, TestUser];
  };
  const [admin, demo] = users;
  const request = (options: InjectOptions, token?: string) =>
    app.inject({
      ...options,
      headers: { ...options.headers, ...(token === undefined ? {} : { 'x-auth-token': token }) },
    });
  const login = (user: TestUser, scope?: unknown) =>
    request({ method: 'POST', url: '/identity/v3/auth/tokens', payload: passwordLogin(user, scope) });
  return {
    ...{ core, app, provider, admin, demo, logged, request, login },
    async token(user, scope) {
      const answer = await login(user, scope);
      if (answer.statusCode !== 201) throw new Error(`${user.name} cannot log in: ${answer.body}`);
      return String(answer.headers['x-subject-token']);
    },
    async close() {
      await app.close();
      await core.dispose();
    },
  };
}
