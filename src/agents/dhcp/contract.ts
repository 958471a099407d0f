import type { NetworkInfo } from '../../rpc/documents.ts';

/** A network as the agent wants it served: the server's document and the device that carries its DHCP port. */
export interface WantedNetwork {
  readonly info: NetworkInfo;
  /** Namespace in which to serve, `qdhcp-<network>`. */
  readonly namespace: string;
  /** Device inside the namespace, with the MAC and addresses of this agent's own DHCP port already set. */
  readonly device: string;
  /** This agent's own DHCP port (one of `info.ports`). */
  readonly dhcpPortId: string;
}

/**
 * Answers DHCP and DNS for networks. Level-triggered: `apply` MUST be idempotent and MUST NOT touch what is right already
 * (a living server of an earlier agent process is adopted). Calls for one network never overlap; different networks MAY.
 */
export interface DhcpDriver {
  /** Brings the network's server to the wanted state; resolves when every port of `info` would be answered. Throws to be tried again. */
  apply(network: WantedNetwork): Promise<void>;
  /** Stops serving the network and removes its files. Not serving it is no error. */
  disable(networkId: string): Promise<void>;
  /** Networks that are served now or have files left from an earlier process. */
  known(): Promise<readonly string[]>;
  /** Calls back when a network's server has died by itself; the agent then applies again. */
  onDeath(listener: (networkId: string) => void): void;
  /** Stops watching; MUST leave every server running, so that DHCP outlives the agent. */
  close(): Promise<void>;
}
