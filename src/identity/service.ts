import type { FastifyBaseLogger } from 'fastify';
import type { Database, Queries, Trx } from '../db/database.ts';
import { type Authorization, authorizationOf, type Scoped } from './authorization.ts';
import { LoginThrottle } from './login-throttle.ts';
import { Passwords } from './passwords.ts';
import { signingKey } from './settings.ts';
import type { ApplicationCredentialRow } from './store/application-credentials.ts';
import { revoke } from './store/revocations.ts';
import type { UserRow } from './store/users.ts';
import { TokenCache } from './token-cache.ts';
import { newAuditId, type TokenContent, TokenSigner } from './tokens.ts';

export interface IdentityOptions {
  /** Seconds for which a token is valid. */
  readonly tokenExpiration: number;
  /** Region of the endpoints in the catalogue. */
  readonly region: string;
  /** Base URL of the API as clients reach it; empty: that of each request. */
  readonly publicEndpoint: string;
}

export interface IdentityParts {
  readonly db: Database;
  readonly log: Pick<FastifyBaseLogger, 'info' | 'warn' | 'error'>;
  readonly options: IdentityOptions;
  /** Milliseconds since 1970; default: the clock of this machine. */
  readonly now?: () => number;
}

/** How a user has authenticated. */
export interface Authenticated {
  readonly user: UserRow;
  readonly methods: readonly string[];
  /** The token that authenticated the user, in place of a password: the new one does not outlive it. */
  readonly by?: TokenContent;
  /** The application credential that authenticated the user. */
  readonly applicationCredential?: ApplicationCredentialRow;
}

/** Neutrino's own Identity: issues, checks and revokes tokens over the users, projects and roles of the database. */
export class IdentityService {
  readonly log: IdentityParts['log'];
  readonly options: IdentityOptions;
  readonly passwords = new Passwords();
  readonly throttle = new LoginThrottle();
  readonly #db: Database;
  readonly #signer: TokenSigner;
  readonly #cache: TokenCache<Authorization>;
  readonly #now: () => number;

  private constructor({ db, log, options, now = () => Date.now() }: IdentityParts, key: Buffer) {
    this.#db = db;
    this.log = log;
    this.options = options;
    this.#now = now;
    this.#signer = new TokenSigner(key);
    this.#cache = new TokenCache(db, now);
  }

  static async open(parts: IdentityParts): Promise<IdentityService> {
    return new IdentityService(parts, await signingKey(parts.db));
  }

  get db(): Queries {
    return this.#db.kysely;
  }

  /** Changes users, projects, roles or assignments in a transaction; what tokens mean is read again after it. */
  change<R>(work: (trx: Trx) => Promise<R>): Promise<R> {
    return this.#cache.change(work);
  }

  /** Milliseconds since 1970. */
  now(): number {
    return this.#now();
  }

  /** Returns what a token means if that is remembered: takes microseconds, and no query. */
  known(token: string): Authorization | undefined {
    return this.#cache.known(token);
  }

  /** Returns what a token means; undefined if it is not valid (any more). */
  async authorization(token: string): Promise<Authorization | undefined> {
    const known = this.#cache.known(token);
    if (known) return known;
    const content = this.#signer.read(token);
    if (!content || content.expiresAt <= this.#now()) return undefined;
    return this.#cache.get(token, async () => {
      const value = await authorizationOf(this.db, content);
      return value && { value, expiresAt: content.expiresAt };
    });
  }

  /** Issues a token. */
  issue(
    { user, methods, by, applicationCredential }: Authenticated,
    scope: Scoped['scope'],
  ): { readonly token: string; readonly content: TokenContent } {
    const issuedAt = this.#now();
    const chain = by?.auditIds.at(-1);
    const content: TokenContent = {
      auditIds: [newAuditId(), ...(chain === undefined ? [] : [chain])],
      userId: user.id,
      generation: Number(user.token_generation),
      methods: [...new Set([...methods, ...(by?.methods ?? [])])],
      ...{ scope, issuedAt },
      ...(applicationCredential ? { applicationCredentialId: applicationCredential.id } : {}),
      expiresAt: Math.min(
        by?.expiresAt ?? issuedAt + this.options.tokenExpiration * 1_000,
        Number(applicationCredential?.expires_at ?? Number.POSITIVE_INFINITY),
      ),
    };
    return { token: this.#signer.sign(content), content };
  }

  /** Revokes a token on all servers. */
  async revoke({ auditIds: [auditId = ''], expiresAt }: TokenContent): Promise<void> {
    await this.change((trx) => revoke(trx, auditId, expiresAt, this.#now()));
  }
}
