/** A process of its own that opens a database and brings its schema up to date as soon as it is told to. */
import { migrate } from '../../src/db/migrate.ts';
import { openSqlite } from '../../src/db/sqlite/open.ts';

const [, , path = ''] = process.argv;
process.once('message', async () => {
  try {
    const db = openSqlite({ path, syncToDisk: false });
    await migrate(db);
    await db.close();
    process.send?.('done');
  } catch (error) {
    process.send?.(String(error));
  }
  process.disconnect?.();
});
process.send?.('ready');
