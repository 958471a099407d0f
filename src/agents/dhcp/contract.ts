import type { PortChanges, WantedNetwork } from './wanted.ts';

/**
 * Serves DHCP and DNS for networks. Level-triggered: calls MUST be idempotent and MUST NOT touch correct existing state (a
 * running server of an earlier agent process is adopted). Calls for one network never overlap; different networks MAY.
 */
export interface DhcpDriver {
  /** Brings the network to the desired state from any state. Resolves when every port is served. If it throws, it is retried. */
  serve(network: WantedNetwork): Promise<void>;
  /**
   * Called only after `serve`. SHOULD NOT cost more in large networks. If it throws, `serve` is called before the next change.
   */
  portsChanged(networkId: string, changes: PortChanges): Promise<void>;
  /** Returns for how many milliseconds more changed ports should be collected before `portsChanged`. Default: none. */
  restMs?(networkId: string): number;
  /**
   * Stops serving the network, removes its files, and returns what was stopped (`dnsmasq 4711`). Unserved networks are not an
   * error.
   */
  stop(networkId: string): Promise<string | undefined>;
  /** Returns the networks that are served or have files from an earlier process. */
  known(): Promise<readonly string[]>;
  /** Registers a callback for a network's server that died unexpectedly; the agent then serves the network again. */
  onDeath(listener: (networkId: string) => void): void;
  /** Stops watching; MUST leave every server running, so that DHCP outlives the agent. */
  close(): Promise<void>;
}
