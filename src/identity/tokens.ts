import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** What a token is valid on. */
export type Scope =
  | { readonly kind: 'unscoped' }
  | { readonly kind: 'project' | 'domain'; readonly id: string }
  | { readonly kind: 'system' };

/** What a token says. Roles are not part of it: they are those that the user has when the token is used. */
export interface TokenContent {
  /** Id of the token in the list of revoked ones; a second id is that of the token by which this chain of tokens began. */
  readonly auditIds: readonly string[];
  readonly userId: string;
  /** Generation of the user's tokens (`identity_users.token_generation`). */
  readonly generation: number;
  /** How the user authenticated: `password`, `token`. */
  readonly methods: readonly string[];
  readonly scope: Scope;
  /** Id of the application credential by which the user logged in. */
  readonly applicationCredentialId?: string;
  /** Milliseconds since 1970. */
  readonly issuedAt: number;
  readonly expiresAt: number;
}

/** Begins every token; a later format has another number. */
const PREFIX = 'nt2';
/** Length of the longest token that is looked at. */
const MAX_TOKEN = 2048;

/** The last one: the id of the application credential, empty if there is none. */
type Fields = readonly [
  readonly string[],
  string,
  number,
  readonly string[],
  Scope['kind'],
  string,
  number,
  number,
  string,
];

/** Returns an id for a new token. */
export const newAuditId = (): string => randomBytes(16).toString('base64url');

/** Signs tokens and checks their signatures (HMAC-SHA256). */
export class TokenSigner {
  readonly #key: Buffer;

  /** `key`: secret of all servers that share the database. */
  constructor(key: Buffer) {
    this.#key = key;
  }

  sign(content: TokenContent): string {
    const { auditIds, userId, generation, methods, scope, issuedAt, expiresAt, applicationCredentialId: by } = content;
    const target = 'id' in scope ? scope.id : '';
    const who = [auditIds, userId, generation, methods] as const;
    const fields: Fields = [...who, scope.kind, target, issuedAt, expiresAt, by ?? ''];
    const signed = `${PREFIX}.${Buffer.from(JSON.stringify(fields)).toString('base64url')}`;
    return `${signed}.${this.#mac(signed).toString('base64url')}`;
  }

  /** Returns what a token says; undefined unless one of these servers has signed it. Does not check whether it has expired. */
  read(token: string): TokenContent | undefined {
    const at = token.lastIndexOf('.');
    if (token.length > MAX_TOKEN || at < 0 || !token.startsWith(`${PREFIX}.`)) return undefined;
    const signed = token.slice(0, at);
    const given = Buffer.from(token.slice(at + 1), 'base64url');
    const wanted = this.#mac(signed);
    if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) return undefined;
    const text = Buffer.from(signed.slice(PREFIX.length + 1), 'base64url').toString();
    const [auditIds, userId, generation, methods, kind, target, issuedAt, expiresAt, by] = JSON.parse(text) as Fields;
    const scope: Scope = kind === 'project' || kind === 'domain' ? { kind, id: target } : { kind };
    return {
      ...{ auditIds, userId, generation, methods, scope, issuedAt, expiresAt },
      ...(by === '' ? {} : { applicationCredentialId: by }),
    };
  }

  #mac(signed: string): Buffer {
    return createHmac('sha256', this.#key).update(signed).digest();
  }
}
