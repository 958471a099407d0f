import { type CreateTableBuilder, sql } from 'kysely';
import type { Migration } from './migration.ts';

/** Users, projects, roles and what tokens need: the tables of Neutrino's own Identity service (`auth_strategy = lab`). */
export const labIdentity: Migration = {
  name: '0006-lab-identity',
  async up(db, dialect) {
    // Names are compared as they are written, as in the other tables.
    const end = dialect === 'mysql' ? sql`engine=InnoDB default charset=utf8mb4 collate=utf8mb4_bin` : sql``;
    const table = async (
      name: string,
      columns: (t: CreateTableBuilder<string>) => CreateTableBuilder<string, string>,
    ) => columns(db.schema.createTable(name).ifNotExists()).modifyEnd(end).execute();
    const id = 'varchar(64)' as const;

    await table('identity_settings', (t) =>
      t
        .addColumn('name', id, (c) => c.primaryKey())
        .addColumn('value', 'varchar(255)', (c) => c.notNull())
        .addColumn('number', 'bigint', (c) => c.notNull()),
    );
    await table('identity_projects', (t) =>
      t
        .addColumn('id', id, (c) => c.primaryKey())
        .addColumn('domain_id', id, (c) => c.notNull())
        .addColumn('parent_id', id)
        .addColumn('name', id, (c) => c.notNull())
        .addColumn('description', 'text', (c) => c.notNull())
        .addColumn('enabled', 'integer', (c) => c.notNull())
        .addColumn('is_domain', 'integer', (c) => c.notNull())
        .addColumn('from_file', 'integer', (c) => c.notNull())
        .addUniqueConstraint('uniq_identity_projects_domain_id_name', ['domain_id', 'name']),
    );
    await table('identity_users', (t) =>
      t
        .addColumn('id', id, (c) => c.primaryKey())
        .addColumn('domain_id', id, (c) => c.notNull())
        .addColumn('name', 'varchar(255)', (c) => c.notNull())
        .addColumn('description', 'text', (c) => c.notNull())
        .addColumn('email', 'varchar(255)')
        .addColumn('enabled', 'integer', (c) => c.notNull())
        .addColumn('default_project_id', id)
        .addColumn('password_hash', 'varchar(255)')
        .addColumn('token_generation', 'integer', (c) => c.notNull())
        .addColumn('from_file', 'integer', (c) => c.notNull())
        .addUniqueConstraint('uniq_identity_users_domain_id_name', ['domain_id', 'name']),
    );
    await table('identity_roles', (t) =>
      t
        .addColumn('id', id, (c) => c.primaryKey())
        .addColumn('name', 'varchar(255)', (c) => c.notNull())
        .addColumn('description', 'text', (c) => c.notNull())
        .addColumn('from_file', 'integer', (c) => c.notNull())
        .addUniqueConstraint('uniq_identity_roles_name', ['name']),
    );
    await table('identity_assignments', (t) =>
      t
        .addColumn('user_id', id, (c) => c.notNull())
        .addColumn('target_type', 'varchar(16)', (c) => c.notNull())
        .addColumn('target_id', id, (c) => c.notNull())
        .addColumn('role_id', id, (c) => c.notNull())
        .addColumn('from_file', 'integer', (c) => c.notNull())
        .addPrimaryKeyConstraint('pk_identity_assignments', ['user_id', 'target_type', 'target_id', 'role_id'])
        .addForeignKeyConstraint('fk_identity_assignments_user_id', ['user_id'], 'identity_users', ['id'], (c) =>
          c.onDelete('cascade'),
        )
        .addForeignKeyConstraint('fk_identity_assignments_role_id', ['role_id'], 'identity_roles', ['id'], (c) =>
          c.onDelete('cascade'),
        ),
    );
    await table('identity_revocations', (t) =>
      t.addColumn('audit_id', id, (c) => c.primaryKey()).addColumn('expires_at', 'bigint', (c) => c.notNull()),
    );
  },
};
