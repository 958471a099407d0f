import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { IdentityError } from './errors.ts';

/** Cost of scrypt (RFC 7914): 16 MiB and some 25 ms for a password. */
const COST = { N: 2 ** 14, r: 8, p: 1 };
const SALT_BYTES = 16;
const HASH_BYTES = 32;
/** Passwords hashed at a time: each occupies a thread of Node's pool, of which there are four. */
const AT_A_TIME = 2;
/** Passwords that wait for that; more are refused with 503, so that a flood of logins cannot fill the memory. */
const MAX_WAITING = 100;

/** Compared with when a user does not exist, so that the answer takes as long. */
const NOBODYS = `scrypt$${COST.N}$${COST.r}$${COST.p}$${'A'.repeat(22)}$${'A'.repeat(43)}`;

/** Hashes and checks passwords with scrypt, a few at a time. */
export class Passwords {
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  /** Returns the hash of a password: `scrypt$N$r$p$salt$hash`. */
  async hash(password: string): Promise<string> {
    const salt = randomBytes(SALT_BYTES);
    const hash = await this.#derive(password, salt, COST, HASH_BYTES);
    return ['scrypt', COST.N, COST.r, COST.p, salt.toString('base64url'), hash.toString('base64url')].join('$');
  }

  /**
   * Returns whether a password has this hash, in constant time. `hash`: null or undefined if there is no such user or password,
   * which takes as long.
   */
  async matches(password: string, hash: string | null | undefined): Promise<boolean> {
    const [, N, r, p, salt = '', wanted = ''] = (hash ?? NOBODYS).split('$');
    const expected = Buffer.from(wanted, 'base64url');
    const cost = { N: Number(N), r: Number(r), p: Number(p) };
    const derived = await this.#derive(password, Buffer.from(salt, 'base64url'), cost, expected.length);
    return timingSafeEqual(derived, expected) && typeof hash === 'string';
  }

  async #derive(password: string, salt: Buffer, cost: typeof COST, bytes: number): Promise<Buffer> {
    await this.#turn();
    try {
      return await new Promise<Buffer>((resolve, reject) =>
        scrypt(password, salt, bytes, cost, (error, hash) => (error ? reject(error) : resolve(hash))),
      );
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running -= 1;
    }
  }

  /** Waits until this one may run. Throws IdentityError 503 if too many wait. */
  async #turn(): Promise<void> {
    if (this.#running < AT_A_TIME) {
      this.#running += 1;
      return;
    }
    if (this.#waiting.length >= MAX_WAITING)
      throw new IdentityError(503, 'Too many passwords are being checked; try again.', { 'retry-after': '1' });
    await new Promise<void>((resolve) => void this.#waiting.push(resolve));
  }
}
