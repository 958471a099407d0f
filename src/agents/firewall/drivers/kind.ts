import type { Logger } from 'pino';
import type { InNamespace } from '../../../linux/ip.ts';
import type { Firewall } from '../contract.ts';

/** A kind of firewall. */
export interface FirewallKind {
  /** Value of `[securitygroup] firewall_driver`. */
  readonly name: string;
  /** Programs that it runs, with the Debian packages that contain them. */
  readonly programs: Readonly<Record<string, string>>;
  /** `where`: the namespace that is the host; none: that of this process. */
  create(parts: { readonly where: InNamespace; readonly log: Logger }): Firewall;
  /** Removes all filters of this kind from a host, and returns their names; absent: it leaves nothing behind. */
  removeFilters?(where: InNamespace): Promise<readonly string[]>;
}
