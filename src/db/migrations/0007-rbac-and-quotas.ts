import { sql } from 'kysely';
import type { Migration } from './migration.ts';
import { createEntries, createTable } from './tables.ts';

/** Quotas, and address scopes that are shared by RBAC entries as the other resources are. */
export const rbacAndQuotas: Migration = {
  name: '0007-rbac-and-quotas',
  async up(db, dialect) {
    await createTable(db, dialect, 'quotas', {
      columns: { id: 'uuid', project_id: 'name', resource: 'name', limit: 'integer' },
      unique: [['project_id', 'resource']],
    });
    await createTable(db, dialect, 'quotausages', {
      columns: { project_id: 'name', resource: 'name' },
      primary: ['project_id', 'resource'],
    });
    await createEntries(db, dialect, 'addressscoperbacs', 'addressscopes');
    const columns = await db.introspection.getTables();
    const scopes = columns.find(({ name }) => name === 'addressscopes');
    if (!scopes?.columns.some(({ name }) => name === 'shared')) return;
    // There is at most one such entry of a scope, so that its id will do; it may exist if the migration was interrupted.
    await sql`insert into addressscoperbacs (id, object_id, project_id, target_project, action)
      select id, id, project_id, '*', 'access_as_shared' from addressscopes where shared = 1
      and id not in (select object_id from addressscoperbacs)`.execute(db);
    await db.schema.alterTable('addressscopes').dropColumn('shared').execute();
  },
};
