import { randomBytes } from 'node:crypto';

/**
 * A random MAC under `base`: its first three bytes are kept, the fourth too unless it is 00, the rest is drawn
 * (base_mac of the configuration reference).
 */
export function randomMac(base: string): string {
  const bytes = base.toLowerCase().split(':');
  const drawn = randomBytes(3);
  const keep = bytes[3] === '00' ? 3 : 4;
  const hex = (i: number) => (drawn[i - 3] ?? 0).toString(16).padStart(2, '0');
  return [0, 1, 2, 3, 4, 5].map((i) => (i < keep ? bytes[i] : hex(i))).join(':');
}
