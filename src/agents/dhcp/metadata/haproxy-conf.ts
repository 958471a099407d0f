export interface HaproxyFacts {
  readonly networkId: string;
  readonly routerId: string | undefined;
  readonly user: string;
  readonly group: string;
  readonly pidFile: string;
  readonly socket: string;
  readonly debug: boolean;
  /** Address, port and device of the IPv6 listener; undefined: IPv4 only. */
  readonly ipv6: string | undefined;
}

/** Where machines ask for metadata, as `bind` lines of haproxy. */
const IPV4_LISTENER = '169.254.169.254:80';
export const ipv6Listener = (device: string): string => `fe80::a9fe:a9fe:80 interface ${device}`;

const section = (title: string, lines: readonly string[]): string =>
  [title, ...lines.map((l) => `    ${l}`)].join('\n');

/**
 * Returns the configuration of a network's haproxy, as Neutron's agents write it. It removes a client's own X-Neutron headers and
 * appends the client's address to X-Forwarded-For, on which the metadata agent relies.
 */
export function haproxyConf(facts: HaproxyFacts): string {
  const { networkId, routerId, user, group, pidFile, socket, debug, ipv6 } = facts;
  const id = routerId ?? networkId;
  const [named, removed] = routerId === undefined ? ['Network', 'Router'] : ['Router', 'Network'];
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
    section('listen listener', [
      `bind ${IPV4_LISTENER}`,
      ipv6 === undefined ? '' : `bind ${ipv6}`,
      `server metadata ${socket}`,
      `http-request del-header X-Neutron-${removed}-ID`,
      `http-request set-header X-Neutron-${named}-ID ${id}`,
    ]),
  ];
  return `\n${sections.join('\n\n')}\n`;
}
