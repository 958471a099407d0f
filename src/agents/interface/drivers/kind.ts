import type { Logger } from 'pino';
import type { InterfaceDriver } from '../contract.ts';

/** A kind of interface driver. */
export interface InterfaceDriverKind {
  /** Value of `interface_driver`. */
  readonly name: string;
  /** Programs that it runs, with the Debian packages that contain them. */
  readonly programs: Readonly<Record<string, string>>;
  /**
   * Creates a driver for one agent; resolves when the host's devices are watched. `mark` begins the alias of each device that it
   * creates, by which a later process of the same agent finds it; the owner follows.
   */
  create(parts: { readonly mark: string; readonly log: Logger }): Promise<InterfaceDriver>;
}
