import { randomUUID } from 'node:crypto';

/**
 * Returns a random MAC with the prefix `base`: its first three bytes are kept, and the fourth unless it is 00; the others are
 * random (option base_mac).
 */
export function randomMac(base: string): string {
  // The first 48 bits of a random UUID are random (RFC 9562, 5.4), and Node generates those in batches, whereas
  // three random bytes would cost a call of the system's generator for each MAC.
  const drawn = randomUUID();
  const fourth = base.slice(9, 11);
  const last = `${drawn.slice(2, 4)}:${drawn.slice(4, 6)}`;
  return `${base.slice(0, 8).toLowerCase()}:${fourth === '00' ? drawn.slice(0, 2) : fourth.toLowerCase()}:${last}`;
}
