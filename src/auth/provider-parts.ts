import type { FastifyBaseLogger } from 'fastify';
import type { Config } from '../config/options.ts';
import type { Database } from '../db/database.ts';

/** What providers are built with. */
export interface ProviderParts {
  readonly config: Config;
  readonly db: Database;
  readonly log: Pick<FastifyBaseLogger, 'info' | 'warn' | 'error'>;
}
