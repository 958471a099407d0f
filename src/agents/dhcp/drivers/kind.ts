import type { Logger } from 'pino';
import type { Config } from '../../../config/options.ts';
import type { NetworkInfo } from '../../../rpc/documents.ts';
import type { DhcpDriver } from '../contract.ts';

/** One message of a DHCP exchange, as a driver logged it. */
export interface ExchangeMessage {
  /** The clock in the log, `HH:MM:SS`. */
  readonly time: string;
  readonly kind: 'DISCOVER' | 'OFFER' | 'REQUEST' | 'ACK' | 'NAK' | 'DECLINE' | 'RELEASE' | 'INFORM';
  readonly device: string;
  readonly address: string | null;
  readonly mac: string;
  /** Additional text of the server: the host's name, or why it offers nothing. */
  readonly note: string | null;
}

/** How a network is rendered for display. */
export interface RenderOptions {
  /** Receives each value that is omitted because the driver's server does not support it. */
  readonly warn?: ((message: string) => void) | undefined;
  /** The DHCP port of this host. Default: the addresses of all DHCP ports count as its own. */
  readonly ownPortId?: string | undefined;
}

/** Whether a driver can use the programs that are installed. */
export interface Suitability {
  /** Why it cannot, as a sentence without the full stop; absent: it can. */
  readonly unmet?: string;
  /** What does not work although it can, in the same form. */
  readonly warning?: string;
}

/** A DHCP driver: how it is built, and what the command line needs to know about it. */
export interface DhcpDriverKind {
  /** Value of `dhcp_driver`. */
  readonly name: string;
  /** Programs that it runs, with the Debian packages that contain them. */
  readonly programs: Readonly<Record<string, string>>;
  /** Examines the versions of its programs, which are installed; absent: any version is suitable. */
  examine?(): Promise<Suitability>;
  create(parts: { readonly config: Config; readonly log: Logger }): DhcpDriver;
  /** The log in which a network's DHCP exchanges appear as lines. */
  exchangeLog(config: Config, networkId: string): string;
  /** Returns the message in a line of that log; undefined if there is none. */
  parseExchange(line: string): ExchangeMessage | undefined;
  /** The file that lists a network's hosts in the driver's format, for display. */
  hostsFile(config: Config, networkId: string): string;
  /** Renders the files and command line that the driver generates for a network, for `dhcp render`; absent if it writes none. */
  render?(network: NetworkInfo, config: Config, options?: RenderOptions): Readonly<Record<string, unknown>>;
}
