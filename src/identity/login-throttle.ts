import { isIPv6 } from 'node:net';

/** Attempts that are free at once, and milliseconds after which another one is. */
interface Limit {
  readonly burst: number;
  readonly everyMs: number;
}

/** For one user from one address: ten attempts, then one every six seconds. */
const PER_USER: Limit = { burst: 10, everyMs: 6_000 };
/** For all users from one address, which may be that of a proxy: then two every second. */
const PER_ADDRESS: Limit = { burst: 200, everyMs: 500 };
/** Users and addresses that are remembered; the ones used longest ago are forgotten first. */
const MAX_REMEMBERED = 20_000;

interface Bucket {
  /** Attempts left at `at`. */
  left: number;
  at: number;
}

/**
 * Slows down the guessing of passwords. An attempt is counted before its password is checked, so that many at the same time do not
 * get past the limit, and given back if the password was right. The memory is bounded.
 */
export class LoginThrottle {
  readonly #buckets = new Map<string, Bucket>();
  readonly #now: () => number;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Counts an attempt; returns 0 if it may be made, otherwise the milliseconds after which the next one may be. */
  attempt(user: string, address: string): number {
    const keys = this.#keys(user, address);
    const waits = keys.map(([key, limit]) => this.#waitOf(key, limit));
    const wait = Math.max(...waits);
    if (wait > 0) return wait;
    for (const [key] of keys) this.#add(key, -1);
    return 0;
  }

  /** Takes back the count of an attempt, because its password was right. */
  succeeded(user: string, address: string): void {
    for (const [key, { burst }] of this.#keys(user, address)) {
      const bucket = this.#add(key, 1);
      if (bucket && bucket.left >= burst) this.#buckets.delete(key);
    }
  }

  /** Number of users and addresses that are remembered. */
  get remembered(): number {
    return this.#buckets.size;
  }

  #keys(user: string, address: string): readonly (readonly [string, Limit])[] {
    const network = networkOf(address);
    return [
      [`${network} ${user}`, PER_USER],
      [network, PER_ADDRESS],
    ];
  }

  #waitOf(key: string, { burst, everyMs }: Limit): number {
    const now = this.#now();
    const known = this.#buckets.get(key);
    const left = known ? Math.min(burst, known.left + (now - known.at) / everyMs) : burst;
    // Inserted again, so that the map is in the order of use.
    this.#buckets.delete(key);
    this.#buckets.set(key, { left, at: now });
    for (const oldest of this.#buckets.keys()) {
      if (this.#buckets.size <= MAX_REMEMBERED) break;
      this.#buckets.delete(oldest);
    }
    return left >= 1 ? 0 : Math.ceil((1 - left) * everyMs);
  }

  #add(key: string, count: number): Bucket | undefined {
    const bucket = this.#buckets.get(key);
    if (bucket) bucket.left += count;
    return bucket;
  }
}

/** Returns an IPv4 address, or the /64 of an IPv6 address, because a single client can have all addresses of one. */
function networkOf(address: string): string {
  const v4 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (v4 !== undefined) return v4;
  if (!isIPv6(address)) return address;
  const [head = '', tail] = address.split('::');
  const groups = head === '' ? [] : head.split(':');
  const missing = tail === undefined ? 0 : 8 - groups.length - (tail === '' ? 0 : tail.split(':').length);
  const all = [...groups, ...Array.from({ length: missing }, () => '0'), ...(tail ? tail.split(':') : [])];
  return all.slice(0, 4).join(':');
}
