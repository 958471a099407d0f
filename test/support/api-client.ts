import type { PortDocument } from '../../src/rpc/documents.ts';
import { waitFor } from '../../src/time/wait.ts';

export type Json = Readonly<Record<string, unknown>>;

/** Without authentication, a stock server requires a project for every resource. */
const PROJECT = 'f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0';

/** An agent as returned by the API. */
export interface ApiAgent {
  readonly id: string;
  readonly binary: string;
  readonly host: string;
  readonly agent_type: string;
  readonly alive: boolean;
  readonly admin_state_up: boolean;
  readonly started_at: string;
  readonly heartbeat_timestamp: string;
  readonly configurations: Readonly<Record<string, unknown>>;
}

/** A client of a networking API, without a token: as nova-compute and as an administrator. */
export class ApiClient {
  readonly url: string;

  readonly #headers: Readonly<Record<string, string>>;

  /** `token`: X-Auth-Token of every request. */
  constructor(url: string, token?: string) {
    this.url = url;
    this.#headers = token === undefined ? {} : { 'x-auth-token': token };
  }

  /** Generous, because a stock server needs seconds for a port on a loaded machine. */
  async request(method: string, path: string, body?: Json): Promise<{ readonly status: number; readonly body: Json }> {
    const response = await fetch(`${this.url}/v2.0/${path}`, {
      method,
      signal: AbortSignal.timeout(60_000),
      headers: { ...this.#headers, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? {} : (JSON.parse(text) as Json) };
  }

  async #ok(status: number, method: string, path: string, body?: Json): Promise<Json> {
    const answer = await this.request(method, path, body);
    if (answer.status !== status) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  /** Throws unless the status is 200. */
  async get<T extends object>(path: string): Promise<T> {
    return (await this.#ok(200, 'GET', path)) as T;
  }

  /** Throws unless the status is 201. */
  async post<T extends object>(path: string, body: Json): Promise<T> {
    return (await this.#ok(201, 'POST', path, body)) as T;
  }

  /** Waits until it responds. */
  async awaitAnswer(timeoutMs = 60_000): Promise<void> {
    const answers = async () => (await this.request('GET', 'networks?limit=1').catch(() => undefined))?.status === 200;
    await waitFor(`a response of ${this.url}`, async () => (await answers()) || undefined, {
      timeoutMs,
      intervalMs: 20,
    });
  }

  async create(kind: 'network' | 'subnet' | 'port', values: Json): Promise<Json & { readonly id: string }> {
    const body = await this.#ok(201, 'POST', `${kind}s`, { [kind]: { tenant_id: PROJECT, ...values } });
    return body[kind] as Json & { readonly id: string };
  }

  async update(kind: 'network' | 'subnet' | 'port' | 'agent', id: string, values: Json): Promise<Json> {
    return (await this.#ok(200, 'PUT', `${kind}s/${id}`, { [kind]: values }))[kind] as Json;
  }

  async delete(kind: 'network' | 'subnet' | 'port', id: string): Promise<void> {
    await this.#ok(204, 'DELETE', `${kind}s/${id}`);
  }

  async port(id: string): Promise<PortDocument> {
    return (await this.#ok(200, 'GET', `ports/${id}`)).port as PortDocument;
  }

  async ports(query: string): Promise<readonly PortDocument[]> {
    return (await this.#ok(200, 'GET', `ports?${query}`)).ports as PortDocument[];
  }

  async agents(query = ''): Promise<readonly ApiAgent[]> {
    return (await this.#ok(200, 'GET', `agents?${query}`)).agents as ApiAgent[];
  }

  /** Returns the hosts of a network's DHCP agents. */
  async dhcpHosts(networkId: string): Promise<readonly string[]> {
    const { agents } = await this.#ok(200, 'GET', `networks/${networkId}/dhcp-agents`);
    return (agents as ApiAgent[]).map(({ host }) => host).toSorted();
  }

  /**
   * Creates a network with IPv4 subnets; resolves to its id. Without port security, for which a stock L2 agent needs features of
   * ebtables that not every kernel has.
   */
  async network(...subnets: readonly (string | Json)[]): Promise<string> {
    const { id } = await this.create('network', { name: 'interop', port_security_enabled: false });
    for (const given of subnets) await this.subnet(id, given);
    return id;
  }

  async subnet(networkId: string, given: string | Json): Promise<string> {
    // The pool of a /24 excludes addresses below 100, which tests can request; larger subnets are for many ports.
    const pools = (cidr: string) => {
      const prefix = cidr.slice(0, cidr.lastIndexOf('.'));
      return cidr.endsWith('/24') ? { allocation_pools: [{ start: `${prefix}.100`, end: `${prefix}.199` }] } : {};
    };
    const values = typeof given === 'string' ? { cidr: given, ...pools(given) } : given;
    return (await this.create('subnet', { network_id: networkId, ip_version: 4, ...values })).id;
  }

  /** Creates a port as nova-compute does for a machine on a host. */
  async machinePort(networkId: string, host: string, values: Json = {}): Promise<PortDocument> {
    const port = await this.create('port', {
      network_id: networkId,
      'binding:host_id': host,
      device_owner: 'compute:nova',
      device_id: 'interop',
      ...values,
    });
    return port as unknown as PortDocument;
  }

  /** Waits until an agent that has just started is alive. */
  async awaitAgent(host: string, agentType: string, timeoutMs = 90_000): Promise<ApiAgent> {
    return waitFor(
      `a live ${agentType} on ${host}`,
      async () => {
        const agents = await this.agents(`host=${host}`).catch(() => []);
        return agents.find((agent) => agent.agent_type === agentType && agent.alive);
      },
      { timeoutMs, intervalMs: 200 },
    );
  }

  async awaitActive(portId: string, timeoutMs = 60_000): Promise<PortDocument> {
    return waitFor(
      `port ${portId} to be ACTIVE`,
      async () => {
        const port = await this.port(portId);
        return port.status === 'ACTIVE' ? port : undefined;
      },
      { timeoutMs, intervalMs: 100 },
    );
  }
}
