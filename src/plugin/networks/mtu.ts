import type { Config } from '../../config/options.ts';
import { neutronError } from '../../resources/errors.ts';
import { largestMtu, type Segment } from './segments.ts';

/** Returns the effective MTU: the requested one (0: the largest possible). Throws InvalidInput if a segment cannot carry it. */
export function mtuInForce(config: Config, wanted: number, segments: readonly Segment[]): number {
  const largest = Math.min(...segments.map((s) => largestMtu(config, s.network_type, s.physical_network)));
  if (wanted > largest)
    throw neutronError('InvalidInput', { reason: `Requested MTU is too big, maximum is ${largest}` });
  return wanted === 0 ? largest : wanted;
}
