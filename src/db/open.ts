import { join } from 'node:path';
import type { Config } from '../config/options.ts';
import { ConfigError } from '../config/parse.ts';
import type { Database } from './database.ts';
import { openMysql } from './mysql/open.ts';
import { parseMysqlUrl } from './mysql/url.ts';
import { openSqlite } from './sqlite/open.ts';
import { parseSqliteUrl } from './sqlite/url.ts';

/**
 * Opens the database that `[database] connection` names: `sqlite:////path`, `mysql+pymysql://...`, or neutrino.sqlite under the
 * state path when it is empty. Throws ConfigError.
 */
export function openDatabase(config: Pick<Config, 'DEFAULT' | 'database'>): Database {
  const { connection, sqlite_synchronous: syncToDisk, max_pool_size: connections } = config.database;
  if (connection === '') return openSqlite({ path: join(config.DEFAULT.state_path, 'neutrino.sqlite'), syncToDisk });
  if (/^(mysql|mariadb)/i.test(connection)) return openMysql({ address: parseMysqlUrl(connection), connections });
  const path = parseSqliteUrl(connection);
  if (path === undefined)
    throw new ConfigError(
      '[database] connection: it is neither sqlite:////path/to/file nor mysql+pymysql://user:password@host/database',
    );
  return openSqlite({ path, syncToDisk });
}
