import { ConfigError } from '../../config/parse.ts';

/** One broker of a `transport_url`. */
export interface BrokerHost {
  readonly hostname: string;
  readonly port: number;
  readonly username: string;
  readonly password: string;
}

/** The parts of a `transport_url`. */
export interface TransportUrl {
  /** At least one. */
  readonly hosts: readonly BrokerHost[];
  readonly virtualHost: string;
  /** Options of [oslo_messaging_rabbit] by name that this URL overrides. */
  readonly query: ReadonlyMap<string, string>;
}

const DEFAULT_PORT = 5672;
/** Names of the RabbitMQ driver in oslo.messaging. */
const SCHEMES = ['rabbit', 'kombu'];
const MAX_HOSTS = 100;
const ENCODE = 'in user and password, @ : / , ? # and % are written %40 %3A %2F %2C %3F %23 and %25';

/**
 * Reads `rabbit://user:password@host:port,user2:password2@host2:port2/vhost?option=value` as oslo.messaging's TransportURL
 * does: each host has its own user (default: guest), IPv6 addresses are in brackets, the default port is 5672, `/` and an empty
 * path are the virtual host `/`. Throws ConfigError that shows no part of a password.
 */
export function parseTransportUrl(url: string): TransportUrl {
  const [, scheme, netloc = '', path = '', query = ''] =
    /^([A-Za-z][A-Za-z0-9+.-]*):\/\/([^/?#]*)(?:\/([^?#]*))?(?:\?([^#]*))?(?:#.*)?$/s.exec(url.trim()) ?? [];
  if (scheme === undefined || !SCHEMES.includes(scheme.toLowerCase())) {
    const found = scheme === undefined ? 'it has no such beginning' : `not ${scheme}://`;
    throw wrong(`must begin with rabbit:// (${found})`);
  }
  const parts = netloc.split(',').filter((part) => part !== '');
  if (parts.length > MAX_HOSTS) throw wrong(`names ${parts.length} hosts, ${MAX_HOSTS} at most are taken`);
  const hosts = parts.length === 0 ? [''] : parts;
  return {
    hosts: hosts.map(parseHost),
    virtualHost: decode(path) || '/',
    query: new Map(new URLSearchParams(query)),
  };
}

/** Returns `host:port`, with an IPv6 address in brackets, as messages name a broker. */
export function brokerName({ hostname, port }: Pick<BrokerHost, 'hostname' | 'port'>): string {
  return hostname.includes(':') ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}

function parseHost(text: string, index: number): BrokerHost {
  const at = text.lastIndexOf('@');
  const login = at < 0 ? '' : text.slice(0, at);
  const address = text.slice(at + 1);
  const colon = login.indexOf(':');
  const username = decode(colon < 0 ? login : login.slice(0, colon));
  const password = colon < 0 ? '' : decode(login.slice(colon + 1));

  const shape = address.startsWith('[') ? /^\[([0-9A-Fa-f:.]+(?:%\w+)?)\](?::(\d*))?$/ : /^([^\s:[\]]*)(?::(\d*))?$/;
  const [whole, hostname, port] = shape.exec(address) ?? [];
  const number = port ? Number(port) : DEFAULT_PORT;
  if (whole === undefined || number < 1 || number > 65_535) {
    // The text may be part of a password: it is not shown.
    throw wrong(`host ${index + 1} must be a name or address and a port from 1 to 65535, IPv6 in brackets; ${ENCODE}`);
  }
  return {
    hostname: hostname || 'localhost',
    port: number,
    username: username || 'guest',
    password: password || (username === '' ? 'guest' : ''),
  };
}

/** Decodes %XX as UTF-8; a % that starts no such pair stays, as in Python's unquote. */
function decode(text: string): string {
  return text.replace(/(?:%[0-9A-Fa-f]{2})+/g, (pairs) =>
    Buffer.from(pairs.replaceAll('%', ''), 'hex').toString('utf8'),
  );
}

function wrong(why: string): ConfigError {
  return new ConfigError(`[DEFAULT] transport_url: ${why}; rabbit://user:password@host:5672/vhost would be right`);
}
