import { LabFailure } from './failure.ts';

/** The attributes that the lab reads (Networking API v2.0). */
export interface NetworkDocument {
  readonly id: string;
  readonly name: string;
  readonly mtu?: number | null;
  readonly tenant_id?: string;
}
export interface SubnetDocument {
  readonly id: string;
  readonly cidr: string;
  readonly ip_version: 4 | 6;
  readonly enable_dhcp: boolean;
}
export interface PortDocument {
  readonly id: string;
  readonly mac_address: string;
  readonly status: string;
  readonly network_id: string;
  readonly fixed_ips: readonly { readonly subnet_id: string; readonly ip_address: string }[];
  readonly 'binding:vif_type'?: string;
  readonly tenant_id?: string;
}

/** What a machine is told besides what follows from its ports. */
export interface MachineMetadata {
  /** In base64. */
  readonly userData: string | null;
  /** OpenSSH public keys by name. */
  readonly publicKeys: Readonly<Record<string, string>>;
}

/** A client of the API. Every method throws LabFailure that names the request and the response. */
export interface Neutron {
  readonly url: string;
  /** Returns the network with this id or name. Throws if there is none, or more than one. */
  findNetwork(idOrName: string): Promise<NetworkDocument>;
  subnets(networkId: string): Promise<readonly SubnetDocument[]>;
  hasExtension(alias: string): Promise<boolean>;
  createPort(port: Readonly<Record<string, unknown>>): Promise<PortDocument>;
  /** Returns undefined if there is no such port. */
  port(id: string): Promise<PortDocument | undefined>;
  portsOfDevice(deviceId: string): Promise<readonly PortDocument[]>;
  /** Does not throw if the port does not exist. */
  deletePort(id: string): Promise<void>;
  /** Stores the metadata of a machine with ports. Returns false if the server has no such extension, because it is not a Neutrino. */
  describeMachine(
    machine: MachineMetadata & { readonly id: string; readonly name: string; readonly project: string },
  ): Promise<boolean>;
  /** Sends any other request; returns the parsed body of the response. */
  request(method: string, path: string, body?: unknown): Promise<unknown>;
}

const REQUEST_MS = 30_000;

/** An error response of the API. */
class RequestRefused extends LabFailure {
  readonly status: number;

  constructor(request: string, status: number, body: string) {
    super(`${request}: ${status} ${refusal(body)}`);
    this.name = 'RequestRefused';
    this.status = status;
  }
}

/** Returns `Type: message` of an error body of Neutron or Keystone, or the beginning of any other body. */
function refusal(body: string): string {
  try {
    const parsed = JSON.parse(body) as Readonly<
      Record<string, { readonly type?: string; readonly title?: string; readonly message?: string } | undefined>
    >;
    const error = parsed.NeutronError ?? parsed.error;
    if (error) return [error.type ?? error.title, error.message].filter(Boolean).join(': ');
  } catch {
    // Not JSON: shown unmodified.
  }
  return body.slice(0, 200).trim();
}

/** Returns why a request got no response, which `fetch` hides in the cause. */
function unreachable(url: string, origin: string, error: unknown): LabFailure {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (cause instanceof Error && cause.name === 'TimeoutError') {
    return new LabFailure(`${url} (${origin}) did not answer within ${REQUEST_MS / 1_000} s`, { cause: error });
  }
  const why = cause instanceof Error ? cause.message || String((cause as NodeJS.ErrnoException).code) : String(cause);
  return new LabFailure(
    `no Neutrino answers at ${url} (${origin}): ${why}; start it with bin/neutrino up, or set its URL with --url`,
    {
      cause: error,
    },
  );
}

/** Returns a token; undefined if it is unknown how to log in. Throws LabFailure. */
export type Login = () => Promise<string | undefined>;

/**
 * Returns a client of the API at `url` (`http://127.0.0.1:9696`); errors contain `origin`, the source of this URL. It logs in with
 * `login` when the API asks for a token.
 */
export function neutronAt(url: string, origin = 'given', login?: Login): Neutron {
  const base = url.replace(/\/+$/, '').replace(/\/v2\.0$/, '');
  let token: string | undefined;

  async function send(method: string, path: string, body: unknown) {
    const headers = {
      ...(token === undefined ? {} : { 'x-auth-token': token }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    };
    try {
      const response = await fetch(`${base}${path}`, {
        ...{ method, headers, signal: AbortSignal.timeout(REQUEST_MS) },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return { response, text: await response.text() };
    } catch (error) {
      throw unreachable(base, origin, error);
    }
  }

  async function request(method: string, path: string, body?: unknown): Promise<unknown> {
    let { response, text } = await send(method, path, body);
    if (response.status === 401 && login) {
      token = await login();
      if (token !== undefined) ({ response, text } = await send(method, path, body));
    }
    if (!response.ok) throw new RequestRefused(`${method} ${base}${path} (${origin})`, response.status, text);
    if (text === '') return undefined;
    try {
      return JSON.parse(text) as unknown;
    } catch {
      throw new LabFailure(
        `${method} ${base}${path} (${origin}): the response is not JSON; is this the URL of a Neutrino?`,
      );
    }
  }

  async function list<T>(plural: string, filter: Readonly<Record<string, string>>): Promise<readonly T[]> {
    const answer = await request('GET', `/v2.0/${plural}?${new URLSearchParams(filter)}`);
    return (answer as Readonly<Record<string, readonly T[]>>)[plural] ?? [];
  }

  async function findNetwork(idOrName: string): Promise<NetworkDocument> {
    const [byId] = await list<NetworkDocument>('networks', { id: idOrName });
    if (byId) return byId;
    const byName = await list<NetworkDocument>('networks', { name: idOrName });
    if (byName.length > 1) {
      const ids = byName.slice(0, 10).map(({ id }) => id);
      throw new LabFailure(
        `${byName.length} networks are named ${JSON.stringify(idOrName)}; use the id: ${ids.join(', ')}`,
      );
    }
    if (!byName[0])
      throw new LabFailure(`${base} (${origin}) has no network with the id or name ${JSON.stringify(idOrName)}`);
    return byName[0];
  }

  async function absentAsUndefined<T>(answer: Promise<T>): Promise<T | undefined> {
    try {
      return await answer;
    } catch (error) {
      if (error instanceof RequestRefused && error.status === 404) return undefined;
      throw error;
    }
  }

  const portOf = (answer: unknown) => (answer as { readonly port: PortDocument }).port;

  return {
    url: base,
    request,
    findNetwork,
    subnets: (networkId) => list<SubnetDocument>('subnets', { network_id: networkId }),
    hasExtension: async (alias) =>
      (await absentAsUndefined(request('GET', `/v2.0/extensions/${encodeURIComponent(alias)}`))) !== undefined,
    createPort: async (port) => portOf(await request('POST', '/v2.0/ports', { port })),
    port: async (id) => {
      const answer = await absentAsUndefined(request('GET', `/v2.0/ports/${encodeURIComponent(id)}`));
      return answer === undefined ? undefined : portOf(answer);
    },
    portsOfDevice: (deviceId) => list<PortDocument>('ports', { device_id: deviceId }),
    describeMachine: async ({
      id: device_id,
      name,
      project: project_id,
      userData: user_data,
      publicKeys: public_keys,
    }) => {
      const machine = { device_id, name, ...(project_id === '' ? {} : { project_id }), user_data, public_keys };
      return (await absentAsUndefined(request('POST', '/neutrino/v1/machines', { machine }))) !== undefined;
    },
    deletePort: async (id) => {
      await absentAsUndefined(request('DELETE', `/v2.0/ports/${encodeURIComponent(id)}`));
    },
  };
}
