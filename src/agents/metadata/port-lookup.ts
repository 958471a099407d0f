import { ROUTER_INTERFACE_OWNERS } from '../../net/device-owners.ts';
import type { RpcTransport } from '../../rpc/contract.ts';
import type { PortDocument } from '../../rpc/documents.ts';
import { topicClient } from '../../rpc/topic.ts';
import { METADATA_TOPIC } from '../../rpc/topics/metadata.ts';
import type { PortFilters } from '../../rpc/topics/plugin.ts';
import type { Asker } from './asker.ts';
import { ShortCache } from './short-cache.ts';

/** The machine whose port asks. */
export interface Instance {
  readonly id: string;
  readonly project: string;
}

/** Machines that ask within a few seconds, of one host. */
const MAX_CACHED = 4_096;
/** How long an answer of the server is used; a booting machine asks dozens of times within seconds. */
const KEEP_MS = 5_000;
const HEADER_VALUE = /^[\x21-\x7e]{1,255}$/;

interface LookupOptions {
  readonly transport: RpcTransport;
  /** Milliseconds until a request to the server fails. */
  readonly timeoutMs: number;
  readonly now?: () => number;
}

/** Finds the machine that has an address, by requests to the server. */
export class PortLookup {
  readonly #ports: (filters: PortFilters) => Promise<readonly PortDocument[]>;
  readonly #networks: ShortCache<readonly string[]>;
  readonly #instances: ShortCache<Instance>;

  constructor({ transport, timeoutMs, now }: LookupOptions) {
    const client = topicClient(transport, METADATA_TOPIC);
    this.#ports = (filters) => client.call('get_ports', { filters }, { timeoutMs });
    this.#networks = new ShortCache(MAX_CACHED, now);
    this.#instances = new ShortCache(MAX_CACHED, now);
  }

  /**
   * Returns the machine of the only port with the asker's address; undefined if there is none, or several. What the server
   * answered up to `maxAgeMs` ago (default: KEEP_MS) is used. Throws MessagingTimeout and RemoteError.
   */
  find(asker: Asker, maxAgeMs = KEEP_MS): Promise<Instance | undefined> {
    const { network, router = '', address, mac } = asker;
    const scope = network === undefined ? `router ${router}` : `network ${network}`;
    return this.#instances.get(`${scope} ${address}`, maxAgeMs, async () => {
      const networks = network === undefined ? await this.#networksOf(router, maxAgeMs) : [network];
      // Without networks, the filter would match all of them.
      if (networks === undefined) return undefined;
      const of = mac === undefined ? { fixed_ips: { ip_address: [address] } } : { mac_address: [mac] };
      const [port, ...more] = await this.#ports({ ...of, network_id: networks });
      // Tenants choose device_id freely; Nova compares the project. What no header can carry is no instance's id.
      if (port === undefined || more.length > 0 || !HEADER_VALUE.test(port.device_id)) return undefined;
      return { id: port.device_id, project: port.tenant_id ?? port.project_id ?? '' };
    });
  }

  /** Returns the networks on which a router has interfaces; undefined if none. */
  #networksOf(router: string, maxAgeMs: number): Promise<readonly string[] | undefined> {
    return this.#networks.get(router, maxAgeMs, async () => {
      const interfaces = await this.#ports({ device_id: [router], device_owner: ROUTER_INTERFACE_OWNERS });
      return interfaces.length === 0 ? undefined : [...new Set(interfaces.map((port) => port.network_id))];
    });
  }
}
