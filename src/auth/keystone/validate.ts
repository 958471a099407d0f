import type { Identity } from '../contract.ts';
import type { ServiceClient } from './client.ts';
import { ServiceFailure } from './failure.ts';
import type { OwnToken, ServiceUser } from './service-user.ts';
import { parseToken } from './token.ts';

/** The author of a valid token. */
export interface Validated {
  readonly identity: Identity;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

/** Asks Keystone about tokens. */
export class TokenValidator {
  readonly #client: ServiceClient;
  readonly #user: ServiceUser;

  constructor(client: ServiceClient, user: ServiceUser) {
    this.#client = client;
    this.#user = user;
  }

  /**
   * Returns the author of a token; undefined if Keystone does not know it, or it has expired or been revoked. `allowExpired`: it
   * may have expired a while ago, as `[token] allow_expired_window` of Keystone says. Throws ServiceFailure.
   */
  async validate(token: string, allowExpired: boolean): Promise<Validated | undefined> {
    let own = await this.#user.token();
    let answer = await this.#ask(own, token, allowExpired);
    if (answer.status === 401) {
      own = await this.#user.replace(own);
      answer = await this.#ask(own, token, allowExpired);
    }
    const { status, body } = answer;
    if (status === 404 && isKeystoneError(body, 404)) return undefined;
    const known = status === 200 ? parseToken(body) : undefined;
    if (known) return { identity: known.identity, expiresAt: known.expiresAt };
    throw new ServiceFailure(
      `${own.endpoint}/auth/tokens answers ${status} to a token to validate: ${REASONS[status] ?? UNKNOWN}`,
    );
  }

  #ask({ token: own, endpoint }: OwnToken, token: string, allowExpired: boolean) {
    return this.#client.send({
      method: 'GET',
      url: `${endpoint}/auth/tokens?nocatalog${allowExpired ? '&allow_expired=1' : ''}`,
      headers: { 'x-auth-token': own, 'x-subject-token': token },
    });
  }
}

const REASONS: Readonly<Record<number, string>> = {
  401: "it rejects the token that it has just issued to Neutrino's user",
  403: "Neutrino's user may not validate tokens: it needs the role service, or admin, in its project",
};
const UNKNOWN = 'is it Keystone?';

/** Whether an answer is an error of Keystone's, rather than of a web server in its place. */
function isKeystoneError(body: unknown, code: number): boolean {
  const { error } = (body ?? {}) as { readonly error?: { readonly code?: unknown } | null };
  return error?.code === code;
}
