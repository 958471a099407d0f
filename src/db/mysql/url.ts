import { ConfigError } from '../../config/parse.ts';

/** Address of a MariaDB or MySQL server, with the credentials. */
export interface MysqlAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** Path of a UNIX socket, instead of host and port. */
  readonly socketPath?: string;
}

const DEFAULT_PORT = 3306;

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

/**
 * Reads `mysql+pymysql://user:password@host:port/database?...` (SQLAlchemy's form; any `mysql` or `mariadb` driver name). The
 * query's `unix_socket` is honoured; `charset` and similar ones are SQLAlchemy's. Throws an error that names the problem, but
 * never the password.
 */
export function parseMysqlUrl(text: string): MysqlAddress {
  const wrong = (what: string) =>
    new ConfigError(`[database] connection: ${what}; right would be mysql+pymysql://user:password@host:3306/neutron`);
  const match = /^(?:mysql|mariadb)(?:\+[a-z0-9]+)?:\/\/(.*)$/i.exec(text);
  if (!match) throw wrong('it does not begin with mysql+pymysql://');
  let url: URL;
  try {
    url = new URL(`http://${match[1]}`);
  } catch {
    throw wrong('it cannot be read as a URL (special characters of a password must be percent-encoded)');
  }
  const database = decoded(url.pathname.slice(1));
  if (!/^[A-Za-z0-9_$-]{1,64}$/.test(database)) throw wrong(`'${database}' is no name of a database`);
  if (url.username === '') throw wrong('it names no user');
  const socketPath = url.searchParams.get('unix_socket');
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? DEFAULT_PORT : Number(url.port),
    user: decoded(url.username),
    password: decoded(url.password),
    database,
    ...(socketPath === null ? {} : { socketPath }),
  };
}
