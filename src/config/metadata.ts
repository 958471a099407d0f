import { flag, integer, list, text } from './option.ts';

/** Options of the metadata agent (Neutron's metadata_agent.ini). */
export const METADATA = {
  metadata_proxy_socket: text(
    '$state_path/metadata_proxy',
    'UNIX socket on which the metadata agent answers the proxies',
    {
      path: true,
    },
  ),
  metadata_provider: text(
    'nova',
    'who answers machines; nova: the metadata API of Nova; local: Neutrino itself, from their ports and what is stored at ' +
      '/neutrino/v1/machines; default of `up`: local, unless metadata_proxy_shared_secret is set',
    { choices: ['nova', 'local'] },
  ),
  metadata_proxy: text(
    'native',
    'what passes the requests of machines to that socket; native: one process for all networks (haproxy where it cannot be ' +
      'loaded); haproxy: one haproxy for each network, as in Neutron',
    { choices: ['native', 'haproxy'] },
  ),
  metadata_proxy_socket_mode: text(
    'deduce',
    'permissions of the socket; user: 0644, group: 0664, all: 0666, deduce: the first of these that lets ' +
      'metadata_proxy_user and metadata_proxy_group write',
    { choices: ['deduce', 'user', 'group', 'all'] },
  ),
  metadata_proxy_user: text('', 'user (name or id) of the proxies; empty: that of the metadata agent'),
  metadata_proxy_group: text('', 'group (name or id) of the proxies; empty: that of the metadata agent'),
  metadata_proxy_shared_secret: text(
    '',
    'key of the signature of instance ids, as in [neutron] of nova.conf; if it is set, `up` has Nova answer machines',
    {},
    { secret: true },
  ),
  external_pids: text('$state_path/external/pids', 'folder for the process ids of the metadata proxies', {
    path: true,
  }),
  metadata_backlog: integer(4096, 'connections that wait to be accepted on the socket', 1, 65535),
  nova_metadata_host: text(
    '127.0.0.1',
    "host of Nova's metadata API",
    { pattern: /^([A-Za-z0-9]([A-Za-z0-9._-]{0,252})|[0-9A-Fa-f:.]{2,45})$/, hint: 'an IP address or host name' },
    { formerly: ['nova_metadata_ip'] },
  ),
  nova_metadata_port: integer(8775, "port of Nova's metadata API", 1, 65535),
  nova_metadata_protocol: text('http', "protocol of Nova's metadata API", { choices: ['http', 'https'] }),
  nova_metadata_insecure: flag(false, "do not verify the certificate of Nova's metadata API"),
  auth_ca_cert: text('', "CA certificates to verify that of Nova's metadata API with; empty: the well-known ones", {
    path: true,
  }),
  nova_client_cert: text('', "client certificate sent to Nova's metadata API, together with nova_client_priv_key", {
    path: true,
  }),
  nova_client_priv_key: text('', 'private key of nova_client_cert', { path: true }),
} as const;

const limit = (fallback: number, help: string) => integer(fallback, help, 1, 1_000_000);

/** Options of [metadata_rate_limiting]. */
export const METADATA_RATE_LIMITING = {
  rate_limit_enabled: flag(false, 'limit the requests for metadata of each machine'),
  ip_versions: list(
    ['4'],
    'versions of the metadata addresses for which requests are limited; with haproxy, 6 limits those over IPv4 too',
    { pattern: /^[46]$/, hint: '4, 6 or both' },
  ),
  base_window_duration: limit(10, 'seconds of the base window'),
  base_query_rate_limit: limit(10, 'requests of a machine within the base window'),
  burst_window_duration: limit(10, 'seconds of the burst window'),
  burst_query_rate_limit: limit(10, 'requests of a machine within the burst window'),
} as const;
