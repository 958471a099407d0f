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
  /**
   * All DHCP ports of this agent, one for each segment that the host reaches; their devices are all there. Default: the one above.
   */
  readonly dhcpPortIds?: readonly string[];
}

/** Changed ports of a network. If the agent's own address or device changes, the whole network is handed over again instead. */
export interface PortChanges {
  /** New ports, and new documents of known ones. */
  readonly set: readonly PortDocument[];
  /** Ids; unknown ones are ignored. */
  readonly removed: readonly string[];
}
