import { randomUUID } from 'node:crypto';

/**
 * Returns a random MAC with the prefix `base`: its first three bytes are kept, and the fourth unless it is 00; the others are
 * random (option base_mac).
 */
export function randomMac(base: string): string {
  const bytes = base.toLowerCase().split(':');
  // The first 48 bits of a random UUID are random (RFC 9562, 5.4), and Node draws those for many at once, where
  // three bytes at a time would cost a call of the system's generator for each MAC.
  const drawn = randomUUID();
  const keep = bytes[3] === '00' ? 3 : 4;
  const hex = (i: number) => drawn.slice((i - 3) * 2, (i - 2) * 2);
  return [0, 1, 2, 3, 4, 5].map((i) => (i < keep ? bytes[i] : hex(i))).join(':');
}
