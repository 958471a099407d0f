import { type ConfigInputs, loadConfig } from '../../config/load.ts';
import type { Config } from '../../config/options.ts';
import { parseOption } from '../../config/parse.ts';
import type { Database } from '../../db/database.ts';
import { DatabaseUnavailable } from '../../db/errors.ts';
import { migrate, SchemaRefused, schemaState } from '../../db/migrate.ts';
import { isUnreachable } from '../../db/mysql/errors.ts';
import { renameHostInDatabase } from '../agents/rename.ts';
import { asCliFailure, openConfigured, reasonOf } from '../compose/database-start.ts';
import { CliFailure } from '../process/failure.ts';
import { stderrLogger } from '../process/log.ts';

type Print = (line: string) => void;

/** Exit code of `db check` when the schema is not current. */
export const EXIT_NOT_CURRENT = 1;
/** Exit code of the commands when the database cannot be reached. */
export const EXIT_NO_ANSWER = 2;

/** `neutrino db upgrade`: upgrades the schema. Safe to repeat, and to run several times in parallel. */
export const upgradeDatabase = (inputs: ConfigInputs, print: Print): Promise<void> =>
  onDatabase(inputs, async (db) => {
    const missing = await migrate(db);
    if (missing.length === 0) print('The schema is current; nothing to do.');
    else print(`The schema is now current; applied: ${missing.join(', ')}`);
  });

/** `neutrino db check`: throws CliFailure with EXIT_NOT_CURRENT unless the schema is current. */
export const checkDatabase = (inputs: ConfigInputs, print: Print): Promise<void> =>
  onDatabase(inputs, async (db) => {
    await requireCurrent(db);
    print('The schema is current.');
  });

async function requireCurrent(db: Database): Promise<void> {
  const { pending } = await schemaState(db).catch((error: unknown) => {
    throw error instanceof SchemaRefused ? new CliFailure(error.message, EXIT_NOT_CURRENT) : error;
  });
  if (pending.length === 0) return;
  throw new CliFailure(
    `the schema is not current: ${pending.length} step(s) are missing (${pending.join(', ')}); run bin/neutrino db upgrade`,
    EXIT_NOT_CURRENT,
  );
}

/** `neutrino db version`: prints the last migration, or `none` for an empty database. */
export const databaseVersion = (inputs: ConfigInputs, print: Print): Promise<void> =>
  onDatabase(inputs, async (db) => {
    const { applied, pending } = await schemaState(db);
    print(`${applied.at(-1) ?? 'none'}${pending.length === 0 ? '' : ` (missing: ${pending.join(', ')})`}`);
  });

/** `neutrino db rename-host`: throws CliFailure when the schema is not current or agents of the new name are alive. */
export const renameHostOfDatabase = (inputs: ConfigInputs, from: string, to: string, print: Print): Promise<void> =>
  onDatabase(inputs, async (db, config) => {
    parseOption('DEFAULT', 'host', to);
    await requireCurrent(db);
    const { agents, ports } = await renameHostInDatabase(db, config, from, to);
    print(`Host ${from} is now ${to}: ${agents} agent(s), ${ports} port(s).`);
  });

async function onDatabase(inputs: ConfigInputs, work: (db: Database, config: Config) => Promise<void>): Promise<void> {
  const { config, warnings } = loadConfig(inputs);
  const log = stderrLogger(config.DEFAULT);
  for (const warning of warnings) log.debug(warning);
  const db = openConfigured(withTwoConnections(config));
  try {
    await asCliFailure(work(db, config));
  } catch (error) {
    const cause = error instanceof DatabaseUnavailable ? error.cause : error;
    if (!isUnreachable(cause)) throw error;
    throw new CliFailure(
      `the database cannot be reached (${reasonOf(cause)}); is it running, and is [database] connection right?`,
      EXIT_NO_ANSWER,
    );
  } finally {
    await db.close();
  }
}

/** A migration holds a lock on one connection while it works on another. */
const withTwoConnections = (config: Config): Config => ({
  ...config,
  database: { ...config.database, max_pool_size: Math.max(2, config.database.max_pool_size) },
});
