import { ConfigError } from '../../config/parse.ts';
import type { Queries, Trx } from '../../db/database.ts';
import type { IdentityProjects } from '../../db/schema.ts';
import type { Passwords } from '../passwords.ts';
import { storeFileHash } from '../settings.ts';
import { assign, SYSTEM, type Target } from '../store/assignments.ts';
import {
  deleteDomain,
  deleteProject,
  domainNamed,
  findProject,
  insertProject,
  listProjects,
  newId,
  projectNamed,
  updateProject,
} from '../store/projects.ts';
import { BUILT_IN, deleteRole, insertRole, listRoles } from '../store/roles.ts';
import { deleteUser, findUser, insertUser, listUsers, type UserRow, updateUser, userNamed } from '../store/users.ts';
import { DEFAULT_DOMAIN, type FileDomain, type FileUser, type IdentityFile } from './read.ts';

/** A file with the hashes of its passwords. */
export interface HashedFile {
  readonly file: IdentityFile;
  /** Hash of its text. */
  readonly textHash: string;
  /** By user; that of the database if the password is the same. */
  readonly passwordHashes: ReadonlyMap<FileUser, string>;
}

/** Hashes the passwords of a file; those that the database has already keep their hashes, and the tokens of their users. */
export async function hashFile(
  db: Queries,
  passwords: Passwords,
  text: string,
  file: IdentityFile,
): Promise<HashedFile> {
  const domains = new Map((await listProjects(db, true)).map(({ id, name }) => [name, id]));
  const hashes = new Map<FileUser, string>();
  for (const user of file.users) {
    const known = await knownUser(db, user, domains.get(user.domain) ?? '');
    const same = known?.password_hash && (await passwords.matches(user.password, known.password_hash));
    hashes.set(user, same ? String(known.password_hash) : await passwords.hash(user.password));
  }
  return { file, textHash: await passwords.hash(text), passwordHashes: hashes };
}

const knownUser = (db: Queries, user: FileUser, domainId: string): Promise<UserRow | undefined> =>
  user.id === undefined ? userNamed(db, domainId, user.name) : findUser(db, user.id);

/**
 * Takes a file over: inserts and updates what it has, and deletes what an earlier one had and this one has not. What was created
 * through the API is left unchanged. Returns whether it is the first file of the database. Throws ConfigError.
 */
export async function applyFile(trx: Trx, { file, textHash, passwordHashes }: HashedFile): Promise<boolean> {
  const isFirst = await storeFileHash(trx, textHash);
  await trx.deleteFrom('identity_assignments').where('from_file', '=', 1).execute();
  const domainIds = new Map<string, string>();
  for (const domain of file.domains) domainIds.set(domain.name, await applyProject(trx, domain, undefined));
  const domainId = (name: string): string => domainIds.get(name) ?? DEFAULT_DOMAIN.id;
  const projectIds = new Map<string, string>();
  const key = (project: { readonly name: string; readonly domain: string }) =>
    `${domainId(project.domain)} ${project.name}`;
  for (const project of file.projects)
    projectIds.set(key(project), await applyProject(trx, project, domainId(project.domain)));
  const roleIds = await applyRoles(trx, file.roles);
  const userIds = new Set<string>();
  for (const user of file.users) {
    const project = user.defaultProject;
    const defaultProject =
      project === undefined ? undefined : projectIds.get(key({ name: project, domain: user.domain }));
    const id = await applyUser(
      trx,
      user,
      domainId(user.domain),
      defaultProject ?? null,
      passwordHashes.get(user) ?? null,
    );
    userIds.add(id);
    for (const { role, project: on, domain } of user.grants) {
      const target: Target = on
        ? { type: 'project', id: projectIds.get(key(on)) ?? '' }
        : domain === undefined
          ? SYSTEM
          : { type: 'domain', id: domainId(domain) };
      await assign(trx, id, target, roleIds.get(role) ?? '', true);
    }
  }
  await deleteFormer(trx, new Set([...domainIds.values(), ...projectIds.values()]), userIds, new Set(roleIds.values()));
  return isFirst;
}

/** Inserts or updates a project, or a domain if `domainId` is undefined; returns its id. */
async function applyProject(trx: Trx, entry: FileDomain, domainId: string | undefined): Promise<string> {
  const isDomain = domainId === undefined;
  const { id, name, description, enabled } = entry;
  const known =
    id !== undefined
      ? await findProject(trx, isDomain, id)
      : isDomain
        ? await domainNamed(trx, name)
        : await projectNamed(trx, domainId, name);
  if (known && !isDomain && known.domain_id !== domainId)
    throw new ConfigError(`identity.yaml: project ${name} cannot be moved to another domain`);
  const row: IdentityProjects = {
    ...{
      id: known?.id ?? id ?? (isDomain && name === DEFAULT_DOMAIN.name ? DEFAULT_DOMAIN.id : newId()),
      name,
      description,
    },
    ...{ domain_id: domainId ?? '', parent_id: known?.parent_id ?? domainId ?? null },
    ...{ enabled: Number(enabled), is_domain: Number(isDomain), from_file: 1 },
  };
  await (known ? updateProject(trx, row) : insertProject(trx, row));
  return row.id;
}

/** Inserts the roles that are missing; returns the ids by name. */
async function applyRoles(trx: Trx, names: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const ids = new Map((await listRoles(trx)).map((role) => [role.name, role.id]));
  for (const name of [...BUILT_IN, ...names]) {
    if (ids.has(name)) continue;
    const row = { id: newId(), name, description: '', from_file: 1 };
    await insertRole(trx, row);
    ids.set(name, row.id);
  }
  await trx
    .updateTable('identity_roles')
    .set({ from_file: 1 })
    .where('name', 'in', [...BUILT_IN, ...names])
    .execute();
  return new Map([...BUILT_IN, ...names].map((name) => [name, ids.get(name) ?? '']));
}

async function applyUser(
  trx: Trx,
  user: FileUser,
  domainId: string,
  defaultProject: string | null,
  passwordHash: string | null,
): Promise<string> {
  const known = await knownUser(trx, user, domainId);
  const ended = known && (known.password_hash !== passwordHash || (known.enabled && !user.enabled));
  const row: UserRow = {
    ...{ id: known?.id ?? user.id ?? newId(), domain_id: domainId, name: user.name, description: user.description },
    ...{ email: user.email ?? null, enabled: Number(user.enabled), default_project_id: defaultProject },
    ...{ password_hash: passwordHash, from_file: 1 },
    token_generation: Number(known?.token_generation ?? 0) + (ended ? 1 : 0),
  };
  await (known ? updateUser(trx, row) : insertUser(trx, row));
  return row.id;
}

/** Deletes what came from an earlier file and is not in this one. */
async function deleteFormer(
  trx: Trx,
  projects: ReadonlySet<string>,
  users: ReadonlySet<string>,
  roles: ReadonlySet<string>,
): Promise<void> {
  for (const user of await listUsers(trx)) if (user.from_file && !users.has(user.id)) await deleteUser(trx, user.id);
  for (const isDomain of [false, true])
    for (const { id, from_file } of await listProjects(trx, isDomain))
      if (from_file && !projects.has(id)) await (isDomain ? deleteDomain(trx, id) : deleteProject(trx, id));
  for (const role of await listRoles(trx)) if (role.from_file && !roles.has(role.id)) await deleteRole(trx, role.id);
}
