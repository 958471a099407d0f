import { randomUUID } from 'node:crypto';

/**
 * A random MAC under `base`: its first three bytes are kept, the fourth too unless it is 00, the rest is drawn
 * (base_mac of the configuration reference).
 */
export function randomMac(base: string): string {
  const bytes = base.toLowerCase().split(':');
  // The first 48 bits of a random UUID are random (RFC 9562, 5.4), and Node draws those for many at once, where
  // three bytes by themselves would cost a call of the system's generator for each MAC.
  const drawn = randomUUID();
  const keep = bytes[3] === '00' ? 3 : 4;
  const hex = (i: number) => drawn.slice((i - 3) * 2, (i - 2) * 2);
  return [0, 1, 2, 3, 4, 5].map((i) => (i < keep ? bytes[i] : hex(i))).join(':');
}
