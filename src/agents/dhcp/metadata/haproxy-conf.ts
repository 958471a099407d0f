import { METADATA_IPV4, METADATA_IPV6, METADATA_PORT } from '../answers/metadata.ts';
import type { RateSettings } from './rate-settings.ts';

export interface HaproxyFacts {
  readonly networkId: string;
  readonly routerId: string | undefined;
  readonly user: string;
  readonly group: string;
  readonly pidFile: string;
  readonly socket: string;
  readonly debug: boolean;
  /** Addresses, ports and devices of the IPv6 listeners; none: IPv4 only. */
  readonly ipv6: readonly string[];
  /** Default: requests are not limited. */
  readonly rates?: RateSettings | undefined;
}

/** Where machines ask for metadata, as `bind` lines of haproxy. */
const IPV4_LISTENER = `${METADATA_IPV4}:${METADATA_PORT}`;
export const ipv6Listener = (device: string): string => `${METADATA_IPV6}:${METADATA_PORT} interface ${device}`;

/** undefined: an empty line. */
const section = (title: string, lines: readonly (string | undefined)[]): string =>
  [title, ...lines.map((l) => (l === undefined ? '' : `    ${l}`))].join('\n');

const TABLES = ['base_rate_limiter', 'burst_rate_limiter'] as const;

/** One table for each window; tables of IPv6 addresses hold IPv4 ones as well. */
function rateTables({ versions, windows }: RateSettings): readonly string[] {
  const type = versions.includes(6) ? 'ipv6' : 'ip';
  const expire = Math.max(...windows.map(({ seconds }) => seconds));
  return TABLES.map((table, i) =>
    section(`backend ${table}`, [
      `stick-table type ${type} size 10k expire ${expire}s store http_req_rate(${windows[i]?.seconds}s)`,
    ]),
  );
}

const rateRules = ({ windows }: RateSettings): readonly string[] => [
  ...TABLES.map((table, i) => `http-request track-sc${i} src table ${table}`),
  ...TABLES.map(
    (table, i) => `http-request deny deny_status 429 if { src_http_req_rate(${table}) gt ${windows[i]?.requests} }`,
  ),
];

/**
 * Returns the configuration of a network's haproxy, as Neutron's agents write it. It removes a client's own X-Neutron headers and
 * appends the client's address to X-Forwarded-For, on which the metadata agent relies.
 */
export function haproxyConf(facts: HaproxyFacts): string {
  const { networkId, routerId, user, group, pidFile, socket, debug, ipv6, rates } = facts;
  const id = routerId ?? networkId;
  const [named, removed] = routerId === undefined ? ['Network', 'Router'] : ['Router', 'Network'];
  const headers = [
    `http-request del-header X-Neutron-${removed}-ID`,
    `http-request set-header X-Neutron-${named}-ID ${id}`,
  ];
  const sections = [
    section('global', [
      `log         /dev/log local0 ${debug ? 'debug' : 'info'}`,
      `log-tag     haproxy-metadata-proxy-${id}`,
      `user        ${user}`,
      `group       ${group}`,
      'maxconn     1024',
      `pidfile     ${pidFile}`,
      'daemon',
    ]),
    section('defaults', [
      'log global',
      'mode http',
      'option httplog',
      'option dontlognull',
      'option http-server-close',
      'option forwardfor',
      'retries                 3',
      'timeout http-request    30s',
      'timeout connect         30s',
      'timeout client          32s',
      'timeout server          32s',
      'timeout http-keep-alive 30s',
    ]),
    ...(rates ? rateTables(rates) : []),
    section('listen listener', [
      `bind ${IPV4_LISTENER}`,
      ...(ipv6.length === 0 ? [''] : ipv6.map((listener) => `bind ${listener}`)),
      ...(rates ? [undefined, ...rateRules(rates), undefined] : []),
      `server metadata ${socket}`,
      ...(rates ? [undefined] : []),
      ...headers,
    ]),
  ];
  return `\n${sections.join('\n\n')}\n`;
}
