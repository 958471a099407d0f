import { readFileSync } from 'node:fs';
import { Agent, request } from 'undici';
import type { Config } from '../../config/options.ts';
import { ConfigError } from '../../config/parse.ts';
import { retry } from '../../time/retry.ts';
import { ServiceFailure } from './failure.ts';

/** Requests to one service at a time; further ones wait for a connection. */
const CONNECTIONS = 16;
/** The longest answer is a token with a catalogue: some kilobytes. */
const MAX_ANSWER = 1024 * 1024;
/** The first pause is short because a connection that was kept open may just have been closed. */
const BACKOFF = { firstMs: 100, maxMs: 2000 };
/** A proxy says that the service itself is away: RFC 9110, 15.6.3 to 15.6.5. */
const AWAY: readonly number[] = [502, 503, 504];
/** Nothing was decided by the service, and another attempt takes no longer than a moment. A timeout would. */
const LOST: ReadonlySet<unknown> = new Set(
  'EAI_AGAIN ECONNABORTED ECONNREFUSED ECONNRESET EHOSTUNREACH ENETUNREACH EPIPE UND_ERR_SOCKET'.split(' '),
);

/** `[keystone_authtoken]`. */
export type KeystoneOptions = Config['keystone_authtoken'];

/** Options of a client. */
export type ClientOptions = Pick<
  KeystoneOptions,
  'http_connect_timeout' | 'http_request_max_retries' | 'cafile' | 'certfile' | 'keyfile' | 'insecure'
>;

export interface ServiceRequest {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Name of the service in messages; default: Keystone. */
  readonly service?: string;
}

export interface ServiceAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Parsed JSON; undefined if it is none. */
  readonly body: unknown;
}

/** Sends requests to Keystone or a service of its catalogue: bounded in time, size, connections and repetitions. */
export class ServiceClient {
  readonly #agent: Agent;
  readonly #timeoutMs: number;
  readonly #maxRetries: number;
  readonly #section: string;
  readonly #closing = new AbortController();

  /** `section`: that of the options, named in messages. Throws ConfigError for files that cannot be read. */
  constructor(options: ClientOptions, section = 'keystone_authtoken') {
    this.#section = section;
    this.#timeoutMs = options.http_connect_timeout * 1000;
    this.#maxRetries = options.http_request_max_retries;
    const [ca, cert, key] = (['cafile', 'certfile', 'keyfile'] as const).map((name) =>
      fileOf(section, name, options[name]),
    );
    this.#agent = new Agent({
      connections: CONNECTIONS,
      connect: {
        ...(ca && { ca }),
        ...(cert && { cert }),
        ...(key && { key }),
        rejectUnauthorized: !options.insecure,
        timeout: this.#timeoutMs,
      },
      maxResponseSize: MAX_ANSWER,
      maxHeaderSize: 64 * 1024,
    });
  }

  /** Throws ServiceFailure if there is no answer. */
  async send(wanted: ServiceRequest): Promise<ServiceAnswer> {
    let attempts = 0;
    const once = async () => {
      attempts += 1;
      const answer = await this.#once(wanted);
      if (AWAY.includes(answer.status))
        throw new ServiceFailure(`${nameOf(wanted)} answers ${answer.status}`, { passing: true });
      return answer;
    };
    const retriable = (error: unknown) =>
      error instanceof ServiceFailure && error.passing && attempts <= this.#maxRetries;
    try {
      return await retry(once, { ...BACKOFF, retriable, signal: this.#closing.signal });
    } catch (error) {
      throw this.#closing.signal.aborted ? new ServiceFailure('Neutrino is stopping', { cause: error }) : error;
    }
  }

  async #once(wanted: ServiceRequest): Promise<ServiceAnswer> {
    const { method, url, headers, body } = wanted;
    try {
      const response = await request(url, {
        method,
        headers: { accept: 'application/json', 'user-agent': 'neutrino', ...headers },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        dispatcher: this.#agent,
        signal: AbortSignal.any([this.#closing.signal, AbortSignal.timeout(this.#timeoutMs)]),
      });
      return { status: response.statusCode, headers: response.headers, body: parsed(await response.body.text()) };
    } catch (error) {
      throw this.#explained(wanted, error);
    }
  }

  #explained(wanted: ServiceRequest, error: unknown): ServiceFailure {
    const { name, code, message } = error as { name?: unknown; code?: unknown; message?: unknown };
    if (name === 'TimeoutError' || code === 'UND_ERR_CONNECT_TIMEOUT')
      return new ServiceFailure(`${nameOf(wanted)} does not answer within ${this.#timeoutMs / 1000} s`);
    const untrusted = /CERT|SIGNATURE|ISSUER/.test(String(code));
    const reason = `${String(message) || String(code)}${untrusted ? ` (check cafile in [${this.#section}])` : ''}`;
    return new ServiceFailure(`${nameOf(wanted)} cannot be reached: ${reason}`, {
      passing: LOST.has(code),
      cause: error,
    });
  }

  /** Ends all requests and connections. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#agent.destroy();
  }
}

const nameOf = ({ service = 'Keystone', url }: ServiceRequest): string => `${service} at ${url}`;

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function fileOf(section: string, name: string, path: string): Buffer | undefined {
  if (path === '') return undefined;
  try {
    return readFileSync(path);
  } catch (error) {
    throw new ConfigError(`[${section}] ${name} = ${path}: ${(error as Error).message}`);
  }
}
