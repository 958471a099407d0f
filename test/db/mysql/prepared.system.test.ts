import { type InsertResult, sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Database } from '../../../src/db/database.ts';
import { migrate } from '../../../src/db/migrate.ts';
import { openMysql } from '../../../src/db/mysql/open.ts';
import { parseMysqlUrl } from '../../../src/db/mysql/url.ts';
import { prepared } from '../../../src/db/prepared.ts';
import { dropDatabase, makeDatabase } from '../../support/mariadb.ts';
import { type MariadbFacts, sharedMariadb } from '../../support/shared-services.ts';

let mariadb: MariadbFacts;
let url: string;
let db: Database;

beforeAll(async () => {
  mariadb = await sharedMariadb();
  url = await makeDatabase(mariadb.socket, mariadb.port);
  // One connection: what the server counts is of this session.
  const address = parseMysqlUrl(url);
  db = openMysql({ address, connections: 1 });
  const several = openMysql({ address, connections: 2 });
  await migrate(several);
  await several.close();
}, 120_000);
afterAll(async () => {
  await db?.close();
  await dropDatabase(mariadb.socket, url);
});

async function count(what: string): Promise<number> {
  const { rows } = await sql<{ Value: string }>`show session status like ${sql.lit(what)}`.execute(db.kysely);
  return Number(rows[0]?.Value);
}

const found = prepared<{ type: string; revision: number }, { id: number; description: string | null }>((queries, p) =>
  queries
    .selectFrom('standardattributes')
    .select(['id', 'description'])
    .where('resource_type', '=', p('type'))
    .where('revision_number', '=', p('revision'))
    .limit(1),
);

test('the server parses a prepared query once per connection, however often it runs', async () => {
  const before = { prepared: await count('Com_stmt_prepare'), run: await count('Com_stmt_execute') };
  for (const revision of [1, 2, 3]) await found(db.kysely, { type: 'none', revision });
  expect(await count('Com_stmt_prepare')).toBe(before.prepared + 1);
  expect(await count('Com_stmt_execute')).toBe(before.run + 3);
});

test('other queries do not count towards the server’s limit of prepared statements', async () => {
  const before = await count('Com_stmt_prepare');
  await db.kysely.selectFrom('standardattributes').select('id').where('id', '=', 1).execute();
  expect(await count('Com_stmt_prepare')).toBe(before);
});

test('values and results are those of other queries: numbers, texts and the id of a new row', async () => {
  const insert = prepared<{ type: string; description: string; revision: number }, InsertResult>((queries, p) =>
    queries.insertInto('standardattributes').values({
      resource_type: p('type'),
      description: p('description'),
      revision_number: p('revision'),
      created_at: '2026-01-31 12:00:00',
      updated_at: '2026-01-31 12:00:00',
    }),
  );
  const made = await insert(db.kysely, { type: 'ports', description: "x'?\u00fc", revision: 7 });
  expect(made.numAffectedRows).toBe(1n);
  expect(await found(db.kysely, { type: 'ports', revision: 7 })).toMatchObject({
    rows: [{ id: Number(made.insertId), description: "x'?\u00fc" }],
  });
});
