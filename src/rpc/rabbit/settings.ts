import { readFileSync } from 'node:fs';
import { type Config, findOption } from '../../config/options.ts';
import { ConfigError, parseOption } from '../../config/parse.ts';
import { type BrokerHost, parseTransportUrl } from './transport-url.ts';

/** The options that this transport reads. */
export interface RabbitConfig {
  readonly DEFAULT: Pick<Config['DEFAULT'], 'transport_url' | 'rpc_response_timeout' | 'control_exchange'>;
  readonly oslo_messaging_rabbit: Config['oslo_messaging_rabbit'];
}

/** PEM files; without `ca` the broker's certificate is not checked. */
export interface TlsSettings {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

/** The options and the query of `transport_url` combined. Times are milliseconds. */
export interface RabbitSettings {
  readonly hosts: readonly BrokerHost[];
  readonly virtualHost: string;
  readonly tls: TlsSettings | undefined;
  readonly loginMethod: string;
  readonly controlExchange: string;
  readonly responseTimeoutMs: number;
  /** Silence after which the broker counts as gone; 0: no heartbeats. */
  readonly silenceMs: number;
  readonly retryFirstMs: number;
  readonly retryMaxMs: number;
  /** Messages of one queue that are handled concurrently. */
  readonly prefetch: number;
  readonly transientQueueTtlMs: number;
  readonly missingReplyQueueMs: number;
  readonly queues: { readonly quorum: boolean; readonly durable: boolean; readonly autoDelete: boolean };
  /** Names in the query of transport_url that have no effect here. */
  readonly ignored: readonly string[];
}

const SECTION = 'oslo_messaging_rabbit';
/** Concurrent handlers of one queue; oslo.messaging's executor_thread_pool_size. */
const DEFAULT_PREFETCH = 64;

/** Reads options, transport_url and certificate files. Throws ConfigError for invalid values. */
export function rabbitSettings(config: RabbitConfig): RabbitSettings {
  const url = parseTransportUrl(config.DEFAULT.transport_url);
  const { options, ignored } = withQuery(config.oslo_messaging_rabbit, url.query);
  return {
    hosts: url.hosts,
    virtualHost: url.virtualHost,
    tls: options.ssl ? readTls(options) : undefined,
    loginMethod: options.rabbit_login_method,
    controlExchange: config.DEFAULT.control_exchange,
    responseTimeoutMs: config.DEFAULT.rpc_response_timeout * 1000,
    silenceMs: options.heartbeat_timeout_threshold * 1000,
    retryFirstMs: options.rabbit_retry_interval * 1000,
    retryMaxMs: Math.max(options.rabbit_retry_interval, options.rabbit_interval_max) * 1000,
    prefetch: options.rabbit_qos_prefetch_count || DEFAULT_PREFETCH,
    transientQueueTtlMs: options.rabbit_transient_queues_ttl * 1000,
    missingReplyQueueMs: options.kombu_missing_consumer_retry_timeout * 1000,
    queues: {
      quorum: options.rabbit_quorum_queue,
      durable: options.amqp_durable_queues || options.rabbit_quorum_queue,
      autoDelete: options.amqp_auto_delete,
    },
    ignored,
  };
}

type Options = Config['oslo_messaging_rabbit'];

/** The query of the URL contains options that override those of the file, as in oslo.messaging. */
function withQuery(options: Options, query: ReadonlyMap<string, string>): { options: Options; ignored: string[] } {
  const ignored: string[] = [];
  const overrides: [string, unknown][] = [];
  for (const [name, text] of query) {
    const placed = findOption(SECTION, name);
    if (placed) overrides.push([placed.name, parseOption(SECTION, name, text, 'query of transport_url')]);
    else ignored.push(name);
  }
  return { options: { ...options, ...Object.fromEntries(overrides) }, ignored };
}

function readTls(options: Options): TlsSettings {
  return {
    ...readPem('ssl_ca_file', 'ca', options),
    ...readPem('ssl_cert_file', 'cert', options),
    ...readPem('ssl_key_file', 'key', options),
  };
}

function readPem(name: 'ssl_ca_file' | 'ssl_cert_file' | 'ssl_key_file', as: keyof TlsSettings, options: Options) {
  const path = options[name];
  if (path === '') return {};
  try {
    return { [as]: readFileSync(path) };
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code ?? (error as Error).message;
    throw new ConfigError(`[${SECTION}] ${name} = ${path}: cannot be read (${why}); it must be a PEM file`);
  }
}
