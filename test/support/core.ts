import { copyFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { inject } from 'vitest';
import type { Caller } from '../../src/auth/contract.ts';
import { type Config, defaultConfig } from '../../src/config/options.ts';
import { migrate } from '../../src/db/migrate.ts';
import { openDatabase } from '../../src/db/open.ts';
import type { Core } from '../../src/plugin/core.ts';
import { dropDatabase, makeDatabase } from './mariadb.ts';
import { scratchFolder } from './scratch.ts';
import { migratedSqlite, sharedMariadb } from './shared-services.ts';

/** The administrator that noauth returns for every request. */
export const ADMIN: Caller = {
  userId: '',
  projectId: 'p1',
  domainId: '',
  userDomainId: '',
  projectDomainId: '',
  roles: ['admin', 'member', 'reader'],
  systemScope: false,
  serviceRoles: [],
  isAdmin: true,
  isAdvsvc: false,
  requestId: 'req-test',
};

/** A member of a project. */
export const memberOf = (projectId: string): Caller => ({
  ...ADMIN,
  projectId,
  roles: ['member', 'reader'],
  isAdmin: false,
});

type Overrides = { readonly [S in keyof Config]?: Partial<Config[S]> };

/** Returns the default configuration with some options changed. */
export function configWith(overrides: Overrides = {}): Config {
  const base = defaultConfig();
  const sections = Object.entries(base).map(([name, options]) => [
    name,
    { ...options, ...overrides[name as keyof Config] },
  ]);
  return Object.fromEntries(sections) as Config;
}

export interface TestCore extends Core {
  /** `[database] connection` of its database, for a second process. */
  readonly connection: string;
  dispose(): Promise<void>;
}

/**
 * Rules with a private database, which `dispose` removes: SQLite in a temporary folder, or, in the test run on MariaDB, a
 * database of the run's MariaDB.
 */
export async function openCore(overrides: Overrides = {}): Promise<TestCore> {
  const folder = scratchFolder('neutrino-core-');
  const server = inject('database') === 'mariadb' ? await sharedMariadb() : undefined;
  const connection = server
    ? await makeDatabase(server.socket, server.port)
    : `sqlite:///${join(folder, 'neutrino.sqlite')}`;
  if (!server) copyFileSync(await migratedSqlite(), join(folder, 'neutrino.sqlite'));
  const config = configWith({
    ...overrides,
    DEFAULT: { state_path: folder, ...overrides.DEFAULT },
    database: { connection, sqlite_synchronous: false, ...overrides.database },
  });
  const db = openDatabase(config);
  await migrate(db);
  return {
    db,
    connection,
    config,
    log: pino({ level: 'silent' }),
    async dispose() {
      await db.close();
      rmSync(folder, { recursive: true, force: true });
      if (server) await dropDatabase(server.socket, connection);
    },
  };
}
