import type { Logger } from 'pino';
import type { Config } from '../../config/options.ts';
import type { RpcTransport } from '../../rpc/contract.ts';
import type { Running } from '../process/lifetime.ts';

export interface AgentParts {
  readonly config: Config;
  /** Stays open when the agent is closed. */
  readonly transport: RpcTransport;
  readonly log: Logger;
}

/** A running agent; closing it leaves DHCP servers, bridges and devices unchanged. */
export interface ComposedAgent extends Running {
  /** Resolves when the server has answered its first report. */
  readonly reported: Promise<void>;
}

/** An agent kind on the command line: its command, its lock on the state path and its part of `up` derive from this. */
export interface AgentKind {
  /** Name of its command and lock, such as `dhcp-agent`. */
  readonly name: string;
  /** Its name in prose, such as `DHCP agent`. */
  readonly title: string;
  /** For `--help`. */
  readonly description: string;
  /** Returns the programs that it runs, with the Debian packages that contain them. */
  programs(config: Config): Promise<Readonly<Record<string, string>>>;
  /**
   * Examines the versions of its programs, which are installed, and returns why it cannot run with them (`unmet`) or what will not
   * work (`warning`); default: any version is suitable.
   */
  examine?(config: Config): Promise<{ readonly unmet?: string; readonly warning?: string }>;
  /** Whether it runs without root, because it touches neither namespaces nor devices; default: false. */
  readonly unprivileged?: true;
  /** Returns the text in the alias of every device that an agent of this kind creates, by which it finds them again. */
  deviceMark?(agent: { readonly host: string; readonly state_path: string }, config: Config): Promise<string>;
  /** Replaces that text in marks that are not aliases of devices, and returns the devices' names; default: there are none. */
  relabel?(from: string, to: string, config: Config): Promise<readonly string[]>;
  /** What remains when it stops, as a sentence without the full stop. */
  readonly remains: string;
  /** Starts it. MUST throw if it cannot start, and then leave nothing running. */
  start(parts: AgentParts): Promise<ComposedAgent>;
}
