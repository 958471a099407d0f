import type { NetworkInfo, PortDocument } from '../../rpc/documents.ts';

/** A network to serve: the server's document and the device of its DHCP port. */
export interface WantedNetwork {
  readonly info: NetworkInfo;
  /** Namespace in which to serve, `qdhcp-<network>`. */
  readonly namespace: string;
  /** Device inside the namespace, with the MAC and addresses of this agent's own DHCP port already set. */
  readonly device: string;
  /** This agent's own DHCP port (one of `info.ports`). */
  readonly dhcpPortId: string;
}

/** Changed ports of a network. If the agent's own address or device changes, the whole network is handed over again instead. */
export interface PortChanges {
  /** New ports, and new documents of known ones. */
  readonly set: readonly PortDocument[];
  /** Ids; unknown ones are ignored. */
  readonly removed: readonly string[];
}

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
