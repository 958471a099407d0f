import { addressBits } from '../../net/addresses.ts';
import { neutronError } from '../../resources/errors.ts';

/** The prefix lengths that subnets of a pool can have. */
export interface Bounds {
  readonly min_prefixlen: number;
  readonly max_prefixlen: number;
  readonly default_prefixlen: number;
}

type Name = keyof Bounds | 'ip_version_max';

function requireAtMost(name: Name, value: number, bound: Name, limit: number): void {
  if (value > limit) throw neutronError('IllegalSubnetPoolPrefixBounds', { name, value, bound, limit });
}

const numberOf = (value: string | number | undefined): number | undefined =>
  value === undefined ? undefined : Number(value);

/**
 * Returns the bounds of a pool with Neutron's defaults, which depend on its IP version. Throws IllegalSubnetPoolPrefixBounds if they
 * contradict each other.
 */
export function boundsOf(
  version: 4 | 6,
  given: { readonly [K in keyof Bounds]?: string | number | undefined },
): Bounds {
  const min = numberOf(given.min_prefixlen) ?? (version === 4 ? 8 : 64);
  const max = numberOf(given.max_prefixlen) ?? addressBits(version);
  const fallback = numberOf(given.default_prefixlen) ?? min;
  requireAtMost('min_prefixlen', min, 'max_prefixlen', max);
  requireAtMost('max_prefixlen', max, 'ip_version_max', addressBits(version));
  if (fallback < min)
    throw neutronError('IllegalSubnetPoolPrefixBounds', {
      name: 'default_prefixlen',
      value: fallback,
      bound: 'min_prefixlen',
      limit: min,
    });
  requireAtMost('default_prefixlen', fallback, 'max_prefixlen', max);
  return { min_prefixlen: min, max_prefixlen: max, default_prefixlen: fallback };
}
