import { randomUUID } from 'node:crypto';
import type { Queries, Trx } from '../../db/database.ts';
import type { IdentityProjects } from '../../db/schema.ts';
import { unlessTaken } from './names.ts';

/** A project, or a domain (`is_domain`). */
export type ProjectRow = IdentityProjects;

export interface ProjectFilter {
  readonly id?: string | undefined;
  readonly name?: string | undefined;
  readonly domainId?: string | undefined;
  readonly parentId?: string | undefined;
  readonly enabled?: boolean | undefined;
}

/** Returns an id as Keystone makes them: 32 hexadecimal digits. */
export const newId = (): string => randomUUID().replaceAll('-', '');

/** Returns projects, or domains, in the order of their names. */
export function listProjects(db: Queries, isDomain: boolean, filter: ProjectFilter = {}): Promise<ProjectRow[]> {
  let query = db.selectFrom('identity_projects').selectAll().where('is_domain', '=', Number(isDomain));
  if (filter.id !== undefined) query = query.where('id', '=', filter.id);
  if (filter.name !== undefined) query = query.where('name', '=', filter.name);
  if (filter.domainId !== undefined) query = query.where('domain_id', '=', filter.domainId);
  if (filter.parentId !== undefined) query = query.where('parent_id', '=', filter.parentId);
  if (filter.enabled !== undefined) query = query.where('enabled', '=', Number(filter.enabled));
  return query.orderBy('name').orderBy('id').execute();
}

/** Returns a project, or a domain. */
export async function findProject(db: Queries, isDomain: boolean, id: string): Promise<ProjectRow | undefined> {
  return (await listProjects(db, isDomain, { id }))[0];
}

/** Returns the project of a name in a domain. */
export async function projectNamed(db: Queries, domainId: string, name: string): Promise<ProjectRow | undefined> {
  return (await listProjects(db, false, { domainId, name }))[0];
}

export async function domainNamed(db: Queries, name: string): Promise<ProjectRow | undefined> {
  return (await listProjects(db, true, { name }))[0];
}

const kindOf = ({ is_domain }: ProjectRow): string => (is_domain ? 'domain' : 'project');

/** Inserts a project or domain. Throws IdentityError 409 if its name is taken. */
export async function insertProject(trx: Trx, row: ProjectRow): Promise<void> {
  await unlessTaken(kindOf(row), row.name, trx.insertInto('identity_projects').values(row).execute());
}

/** Stores a project or domain that has changed. Throws IdentityError 409 if its new name is taken. */
export async function updateProject(trx: Trx, row: ProjectRow): Promise<void> {
  const { id, ...values } = row;
  await unlessTaken(
    kindOf(row),
    row.name,
    trx.updateTable('identity_projects').set(values).where('id', '=', id).execute(),
  );
}

/** Deletes a project with the assignments on it. */
export async function deleteProject(trx: Trx, id: string): Promise<void> {
  await trx
    .deleteFrom('identity_assignments')
    .where('target_type', '=', 'project')
    .where('target_id', '=', id)
    .execute();
  await trx.deleteFrom('identity_projects').where('id', '=', id).execute();
}

/** Deletes a domain with its users, its projects and all assignments on them. */
export async function deleteDomain(trx: Trx, id: string): Promise<void> {
  const projects = await trx.selectFrom('identity_projects').select('id').where('domain_id', '=', id).execute();
  for (const project of projects) await deleteProject(trx, project.id);
  await trx.deleteFrom('identity_users').where('domain_id', '=', id).execute();
  await trx
    .deleteFrom('identity_assignments')
    .where('target_type', '=', 'domain')
    .where('target_id', '=', id)
    .execute();
  await trx.deleteFrom('identity_projects').where('id', '=', id).execute();
}
