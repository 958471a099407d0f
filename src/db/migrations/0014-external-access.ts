import { sql } from 'kysely';
import type { Migration } from './migration.ts';

/** Projects see external networks by RBAC entries, as Neutron has them: those that exist are visible to all, as before. */
export const externalAccess: Migration = {
  name: '0014-external-access',
  async up(db, dialect) {
    // Neutron's width of projects; SQLite stores texts of any length.
    if (dialect === 'mysql')
      await db.schema
        .alterTable('networkrbacs')
        .modifyColumn('target_project', 'varchar(255)', (c) => c.notNull())
        .execute();
    // A network has at most one such entry, so that its id will do.
    await sql`insert into networkrbacs (id, object_id, project_id, target_project, action)
      select n.id, n.id, n.project_id, '*', 'access_as_external' from externalnetworks x
      inner join networks n on n.id = x.network_id
      where n.id not in (select object_id from networkrbacs where action = 'access_as_external')`.execute(db);
  },
};
