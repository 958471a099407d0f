import type { Migration } from './migration.ts';
import { createTable } from './tables.ts';

/** Application credentials of Neutrino's own Identity: secrets with which programs log in as a user in a project. */
export const applicationCredentials: Migration = {
  name: '0017-application-credentials',
  async up(db, dialect) {
    await createTable(db, dialect, 'identity_application_credentials', {
      columns: {
        ...{ id: 'short', user_id: 'short', project_id: 'short', name: 'name', description: 'text' },
        ...{ secret_hash: 'name', roles: 'text', unrestricted: 'flag', expires_at: 'bigint?' },
      },
      references: {
        user_id: { to: 'identity_users', onDelete: 'cascade' },
        project_id: { to: 'identity_projects', onDelete: 'cascade' },
      },
      unique: [['user_id', 'name']],
    });
  },
};
