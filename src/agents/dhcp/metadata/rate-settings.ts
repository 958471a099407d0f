import type { Config } from '../../../config/options.ts';

/** Requests of one machine within a window. */
export interface RateWindow {
  readonly seconds: number;
  readonly requests: number;
}

/** How the requests of machines are limited. */
export interface RateSettings {
  /** Versions of the metadata addresses for which requests are limited. */
  readonly versions: readonly (4 | 6)[];
  /** The base and the burst window; a request must be within both. */
  readonly windows: readonly [RateWindow, RateWindow];
}

/** Returns the limits of requests, as Neutron's options say; undefined: they are not limited. */
export function rateSettings(options: Config['metadata_rate_limiting']): RateSettings | undefined {
  const versions = ([4, 6] as const).filter((version) => options.ip_versions.includes(String(version)));
  if (!options.rate_limit_enabled || versions.length === 0) return undefined;
  return {
    versions,
    windows: [
      { seconds: options.base_window_duration, requests: options.base_query_rate_limit },
      { seconds: options.burst_window_duration, requests: options.burst_query_rate_limit },
    ],
  };
}
