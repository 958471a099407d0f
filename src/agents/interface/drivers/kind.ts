import type { Logger } from 'pino';
import type { Config } from '../../../config/options.ts';
import type { InterfaceDriver } from '../contract.ts';

/** The options that interface drivers read. */
export type InterfaceConfig = Pick<Config, 'DEFAULT' | 'ovs'>;

interface InterfaceDriverParts {
  readonly config: InterfaceConfig;
  /** Begins the mark of each device that the driver creates, by which a later process of the same agent finds it; the owner follows. */
  readonly mark: string;
  readonly log: Logger;
}

/** A device with the mark that an agent of this or another Neutrino gave it. */
export interface MarkedDevice {
  readonly name: string;
  readonly mark: string;
}

/** A kind of interface driver. */
export interface InterfaceDriverKind {
  /** Value of `interface_driver`. */
  readonly name: string;
  /** Programs that it runs, with the Debian packages that contain them. */
  readonly programs: Readonly<Record<string, string>>;
  /** Creates a driver for one agent; resolves when the host's devices are watched. */
  create(parts: InterfaceDriverParts): Promise<InterfaceDriver>;
  /** Returns the devices of this host that drivers of this kind have marked, those of other agents included. */
  marked(config: InterfaceConfig): Promise<readonly MarkedDevice[]>;
  /** Replaces `from` at the beginning of marks by `to`, and returns the devices; default: the marks are aliases of devices only. */
  relabel?(config: InterfaceConfig, from: string, to: string): Promise<readonly string[]>;
}
