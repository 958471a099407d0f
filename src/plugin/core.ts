import type { Logger } from 'pino';
import type { Config } from '../config/options.ts';
import type { Database } from '../db/database.ts';

/** The dependencies of every rule: the database, the effective options, and a logger. */
export interface Core {
  readonly db: Database;
  readonly config: Config;
  readonly log: Logger;
}
