import { join } from 'node:path';
import type { Config } from '../config/options.ts';
import { ConfigError } from '../config/parse.ts';
import type { Database } from './database.ts';
import { openMysql } from './mysql/open.ts';
import { parseMysqlUrl } from './mysql/url.ts';
import { openSqlite } from './sqlite/open.ts';
import { parseSqliteUrl } from './sqlite/url.ts';

const isMysql = (connection: string): boolean => /^(mysql|mariadb)/i.test(connection);

/**
 * Returns the SQLite file that the configuration names: that of `sqlite:////path`, or neutrino.sqlite under the state path when
 * `[database] connection` is empty; undefined when it names MariaDB or MySQL. Throws ConfigError.
 */
export function databaseFile({
  DEFAULT,
  database: { connection },
}: Pick<Config, 'DEFAULT' | 'database'>): string | undefined {
  if (connection === '') return join(DEFAULT.state_path, 'neutrino.sqlite');
  if (isMysql(connection)) return undefined;
  const path = parseSqliteUrl(connection);
  if (path !== undefined) return path;
  throw new ConfigError(
    '[database] connection: it is neither sqlite:////path/to/file nor mysql+pymysql://user:password@host/database',
  );
}

/** Opens the database that the configuration names (`databaseFile`, or `mysql+pymysql://...`). Throws ConfigError. */
export function openDatabase(config: Pick<Config, 'DEFAULT' | 'database'>): Database {
  const { connection, sqlite_synchronous: syncToDisk, max_pool_size: connections } = config.database;
  const path = databaseFile(config);
  return path === undefined
    ? openMysql({ address: parseMysqlUrl(connection), connections })
    : openSqlite({ path, syncToDisk });
}
