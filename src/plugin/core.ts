import type { Logger } from 'pino';
import type { Config } from '../config/options.ts';
import type { Database } from '../db/database.ts';

/** What every rule works with: the database, the options in force, and a log. */
export interface Core {
  readonly db: Database;
  readonly config: Config;
  readonly log: Logger;
}
