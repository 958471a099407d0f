import type { NetworkInfo, PortDocument } from '../../rpc/documents.ts';

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

/** Ports of a network that changed. Never the agent's own address or device: then the whole network is handed over again. */
export interface PortChanges {
  /** New ports, and new documents of known ones. */
  readonly set: readonly PortDocument[];
  /** Ids; unknown ones are no error. */
  readonly removed: readonly string[];
}

/**
 * Answers DHCP and DNS for networks. Level-triggered: calls MUST be idempotent and MUST NOT touch what is right already (a
 * living server of an earlier agent process is adopted). Calls for one network never overlap; different networks MAY.
 */
export interface DhcpDriver {
  /** Brings the network to the wanted state, whatever was before. Resolves when every port is answered. Throws: tried again. */
  serve(network: WantedNetwork): Promise<void>;
  /** Only after `serve`. SHOULD cost the same however many ports there are. Throws: `serve` follows before the next change. */
  portsChanged(networkId: string, changes: PortChanges): Promise<void>;
  /** Stops serving the network, removes its files, and returns what ended (`dnsmasq 4711`). Not serving it is no error. */
  stop(networkId: string): Promise<string | undefined>;
  /** Networks that are served now or have files left from an earlier process. */
  known(): Promise<readonly string[]>;
  /** Calls back when a network's server has died by itself; the agent then serves the network again. */
  onDeath(listener: (networkId: string) => void): void;
  /** Stops watching; MUST leave every server running, so that DHCP outlives the agent. */
  close(): Promise<void>;
}
