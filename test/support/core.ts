import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { type Config, defaultConfig } from '../../src/config/options.ts';
import { migrate } from '../../src/db/migrate.ts';
import { openSqlite } from '../../src/db/sqlite/open.ts';
import type { Core, RequestContext } from '../../src/plugin/core.ts';

/** An administrator, as noauth makes everybody. */
export const ADMIN: RequestContext = { projectId: 'p1', isAdmin: true, requestId: 'req-test' };

type Overrides = { readonly [S in keyof Config]?: Partial<Config[S]> };

/** The defaults with some options changed. */
export function configWith(overrides: Overrides = {}): Config {
  const base = defaultConfig();
  const sections = Object.entries(base).map(([name, options]) => [
    name,
    { ...options, ...overrides[name as keyof Config] },
  ]);
  return Object.fromEntries(sections) as Config;
}

export interface TestCore extends Core {
  /** Path of the SQLite file, for a second process. */
  readonly path: string;
  dispose(): Promise<void>;
}

/** Rules over a database of their own, gone with `dispose`. */
export async function openCore(overrides: Overrides = {}): Promise<TestCore> {
  const folder = mkdtempSync(join(tmpdir(), 'neutrino-core-'));
  const path = join(folder, 'neutrino.sqlite');
  const db = openSqlite({ path, syncToDisk: false });
  await migrate(db);
  return {
    db,
    path,
    config: configWith({ ...overrides, DEFAULT: { state_path: folder, ...overrides.DEFAULT } }),
    log: pino({ level: 'silent' }),
    async dispose() {
      await db.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
