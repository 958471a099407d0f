import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { Agent, type Dispatcher } from 'undici';
import type { Config } from '../../config/options.ts';
import { ConfigError } from '../../config/parse.ts';
import type { Instance } from './port-lookup.ts';

/** Requests to Nova at a time; further ones wait for a connection. */
const CONNECTIONS = 64;
const CONNECT_MS = 10_000;
/** Less than the 32 s that the proxies in the namespaces wait for an answer. */
const ANSWER_MS = 30_000;
/** User data has at most 64 KiB; what vendors add is rarely longer. */
const MAX_ANSWER = 16 * 1024 * 1024;

type NovaConfig = Pick<
  Config['DEFAULT'],
  | 'nova_metadata_host'
  | 'nova_metadata_port'
  | 'nova_metadata_protocol'
  | 'nova_metadata_insecure'
  | 'auth_ca_cert'
  | 'nova_client_cert'
  | 'nova_client_priv_key'
  | 'metadata_proxy_shared_secret'
>;

export interface NovaRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly body: Buffer | null;
  readonly instance: Instance;
  /** Address of the machine. */
  readonly address: string;
  /** Ends the request. */
  readonly signal: AbortSignal;
}

export type NovaAnswer = Pick<Dispatcher.ResponseData, 'statusCode' | 'headers' | 'body'>;

/** Nova did not answer. `status` is that of a gateway: 503, or 504 if it took too long (RFC 9110, 15.6.4 and 15.6.5). */
export class NovaAway extends Error {
  readonly status: 503 | 504;

  constructor(message: string, status: 503 | 504, cause: unknown) {
    super(message, { cause });
    this.name = 'NovaAway';
    this.status = status;
  }
}

/** Returns the proof for Nova that a sender of an instance id knows the shared secret: HMAC-SHA256 in hex. */
export const signatureOf = (secret: string, instanceId: string): string =>
  createHmac('sha256', secret).update(instanceId).digest('hex');

/** Sends requests of machines to Nova's metadata API; bounded in time, size and connections. */
export class NovaMetadata {
  readonly #agent: Agent;
  readonly #origin: string;
  readonly #secret: string;

  /** Throws ConfigError for files that cannot be read. */
  constructor(config: NovaConfig) {
    const { nova_metadata_host: host, nova_metadata_port: port, nova_metadata_protocol: protocol } = config;
    const ca = pemOf('auth_ca_cert', config.auth_ca_cert);
    const cert = pemOf('nova_client_cert', config.nova_client_cert);
    const key = pemOf('nova_client_priv_key', config.nova_client_priv_key);
    this.#origin = `${protocol}://${isIPv6(host) ? `[${host}]` : host}:${port}`;
    this.#secret = config.metadata_proxy_shared_secret;
    this.#agent = new Agent({
      connections: CONNECTIONS,
      connect: {
        ...(ca && { ca }),
        ...(cert && key && { cert, key }),
        rejectUnauthorized: !config.nova_metadata_insecure,
        timeout: CONNECT_MS,
      },
      headersTimeout: ANSWER_MS,
      bodyTimeout: ANSWER_MS,
      maxResponseSize: MAX_ANSWER,
      maxHeaderSize: 64 * 1024,
    });
  }

  /** Resolves when the head of the answer is there; the caller MUST consume its body. Throws NovaAway. */
  async ask({ method, path, body, instance, address, signal }: NovaRequest): Promise<NovaAnswer> {
    // Also limits how long a request waits for a connection; bodyTimeout covers the body.
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(new DOMException('', 'TimeoutError')), ANSWER_MS);
    try {
      return await this.#agent.request({
        origin: this.#origin,
        path,
        method: method as Dispatcher.HttpMethod,
        body,
        // Nothing of the client's: all that Nova trusts is set here.
        headers: {
          accept: '*/*',
          'user-agent': 'neutrino',
          'x-forwarded-for': address,
          'x-instance-id': instance.id,
          'x-tenant-id': instance.project,
          'x-instance-id-signature': signatureOf(this.#secret, instance.id),
        },
        signal: AbortSignal.any([signal, late.signal]),
      });
    } catch (error) {
      throw this.#explained(error);
    } finally {
      clearTimeout(timer);
    }
  }

  #explained(error: unknown): NovaAway {
    const { name, code, message } = error as { name?: unknown; code?: unknown; message?: unknown };
    const late = name === 'TimeoutError' || code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_CONNECT_TIMEOUT';
    if (late) return new NovaAway(`Nova's metadata API at ${this.#origin} does not answer in time`, 504, error);
    const untrusted = /CERT|SIGNATURE|ISSUER/.test(String(code)) ? ' (check auth_ca_cert)' : '';
    const reason = `${String(message) || String(code)}${untrusted}`;
    return new NovaAway(`Nova's metadata API at ${this.#origin} cannot be reached: ${reason}`, 503, error);
  }

  /** Ends all requests and connections. */
  close(): Promise<void> {
    return this.#agent.destroy();
  }
}

function pemOf(name: string, path: string): Buffer | undefined {
  if (path === '') return undefined;
  try {
    return readFileSync(path);
  } catch (error) {
    throw new ConfigError(`[DEFAULT] ${name} = ${path}: ${(error as Error).message}`);
  }
}
