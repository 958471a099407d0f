import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Database } from '../../../src/db/database.ts';
import { migrate } from '../../../src/db/migrate.ts';
import { openMysql } from '../../../src/db/mysql/open.ts';
import { parseMysqlUrl } from '../../../src/db/mysql/url.ts';
import { dropDatabase, makeDatabase } from '../../support/mariadb.ts';
import { type MariadbFacts, sharedMariadb } from '../../support/shared-services.ts';

let mariadb: MariadbFacts;
let url: string;
let db: Database;

beforeAll(async () => {
  mariadb = await sharedMariadb();
  url = await makeDatabase(mariadb.socket, mariadb.port);
  db = openMysql({ address: parseMysqlUrl(url), connections: 4 });
  await migrate(db);
}, 120_000);
afterAll(async () => {
  await db?.close();
  await dropDatabase(mariadb.socket, url);
});

const scope = (id: string) =>
  db.kysely.insertInto('addressscopes').values({ id, project_id: 'p', name: '', ip_version: 4 }).execute();
const entry = (id: string, object: string) => ({
  id,
  object_id: object,
  project_id: 'p',
  target_project: '*',
  action: 'access_as_shared',
});

test('a transaction whose row another one deletes in the meantime runs again, and finds it gone', async () => {
  await scope('gone');
  let attempts = 0;
  const outcome = await db.transaction(async (trx) => {
    attempts++;
    const found = await trx.selectFrom('addressscopes').select('id').where('id', '=', 'gone').executeTakeFirst();
    if (!found) return 'not found';
    if (attempts === 1) await db.kysely.deleteFrom('addressscopes').where('id', '=', 'gone').execute();
    await trx
      .withTables<Record<string, ReturnType<typeof entry>>>()
      .insertInto('addressscoperbacs')
      .values(entry('e1', 'gone'))
      .execute();
    return 'shared';
  });
  expect([outcome, attempts]).toEqual(['not found', 2]);
});

test('a reference that never exists is an error after a few attempts', async () => {
  let attempts = 0;
  const run = db.transaction(async (trx) => {
    attempts++;
    await trx
      .withTables<Record<string, ReturnType<typeof entry>>>()
      .insertInto('addressscoperbacs')
      .values(entry('e2', 'never'))
      .execute();
  });
  await expect(run).rejects.toMatchObject({ errno: 1452 });
  expect(attempts).toBe(4);
});
