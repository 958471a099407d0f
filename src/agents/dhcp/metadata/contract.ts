/** The proxy of a network: where it listens, and whom it names to the metadata agent. */
export interface WantedProxy {
  readonly networkId: string;
  readonly namespace: string;
  /** Devices with the metadata addresses, one for each link; the IPv6 one is link-local. */
  readonly devices: readonly string[];
  /** The router whose networks the machines are on; undefined: they are on the network itself. */
  readonly routerId: string | undefined;
}

/**
 * Passes the machines' requests for metadata from the networks' namespaces to the metadata agent's socket. Level-triggered, like
 * a DHCP driver: calls MUST be idempotent, MUST NOT touch a correct proxy, and never overlap for one network.
 */
export interface MetadataProxies {
  /** Brings the proxy of a network to the desired state. Resolves when it listens. If it throws, it is retried. */
  serve(proxy: WantedProxy): Promise<void>;
  /** Stops the proxy of a network, removes its files, and returns what was stopped. An absent one is not an error. */
  stop(networkId: string): Promise<string | undefined>;
  /** Registers a callback for a proxy that died unexpectedly. */
  onDeath(listener: (networkId: string) => void): void;
  /** Stops watching; MUST leave every proxy running. */
  close(): Promise<void>;
}
