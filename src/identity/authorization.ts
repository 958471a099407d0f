import type { Queries } from '../db/database.ts';
import {
  type ApplicationCredentialRow,
  findApplicationCredential,
  roleIdsOf,
} from './store/application-credentials.ts';
import { assignedRoles, SYSTEM, type Target } from './store/assignments.ts';
import { findProject, type ProjectRow } from './store/projects.ts';
import { isRevoked } from './store/revocations.ts';
import { listRoles, type RoleRow, withImplied } from './store/roles.ts';
import { findUser, type UserRow } from './store/users.ts';
import type { Scope, TokenContent } from './tokens.ts';

/** What a scope gives to a user. */
export interface Scoped {
  readonly scope: Scope;
  readonly project?: ProjectRow;
  /** The domain of the project, or the domain that is the scope. */
  readonly domain?: ProjectRow;
  /** With those that they imply; none if unscoped. */
  readonly roles: readonly RoleRow[];
}

/** What a valid token means at present. */
export interface Authorization extends Scoped {
  readonly token: TokenContent;
  readonly user: UserRow;
  readonly userDomain: ProjectRow;
  /** The application credential by which the user logged in. */
  readonly applicationCredential?: ApplicationCredentialRow;
}

/** Returns a domain if it is enabled. */
async function enabledDomain(db: Queries, id: string): Promise<ProjectRow | undefined> {
  const domain = await findProject(db, true, id);
  return domain?.enabled ? domain : undefined;
}

/** Returns a user with its domain, if both are enabled. */
export async function enabledUser(
  db: Queries,
  id: string,
): Promise<{ readonly user: UserRow; readonly userDomain: ProjectRow } | undefined> {
  const user = await findUser(db, id);
  const userDomain = user?.enabled ? await enabledDomain(db, user.domain_id) : undefined;
  return user && userDomain && { user, userDomain };
}

const targetOf = (scope: Exclude<Scope, { kind: 'unscoped' }>): Target =>
  scope.kind === 'system' ? SYSTEM : { type: scope.kind, id: scope.id };

/** Returns what a scope gives to a user; undefined if it is disabled, does not exist, or the user has no role on it. */
export async function scopedFor(db: Queries, userId: string, scope: Scope): Promise<Scoped | undefined> {
  if (scope.kind === 'unscoped') return { scope, roles: [] };
  const project = scope.kind === 'project' ? await findProject(db, false, scope.id) : undefined;
  if (scope.kind === 'project' && !project?.enabled) return undefined;
  const domainId = scope.kind === 'domain' ? scope.id : project?.domain_id;
  const domain = domainId === undefined ? undefined : await enabledDomain(db, domainId);
  if (domainId !== undefined && !domain) return undefined;
  const assigned = await assignedRoles(db, userId, targetOf(scope));
  if (assigned.length === 0) return undefined;
  const roles = withImplied(assigned, await listRoles(db));
  return { scope, roles, ...(project ? { project } : {}), ...(domain ? { domain } : {}) };
}

/**
 * Returns what a token with a correct signature means; undefined if it is revoked, or the user, the scope or the roles on it are
 * gone or disabled. The caller checks whether it has expired.
 */
export async function authorizationOf(db: Queries, token: TokenContent): Promise<Authorization | undefined> {
  const [auditId = ''] = token.auditIds;
  if (await isRevoked(db, auditId)) return undefined;
  const who = await enabledUser(db, token.userId);
  if (!who || Number(who.user.token_generation) !== token.generation) return undefined;
  const scoped = await scopedFor(db, token.userId, token.scope);
  const { applicationCredentialId: id } = token;
  if (!scoped || id === undefined) return scoped && { token, ...who, ...scoped };
  const applicationCredential = await findApplicationCredential(db, id);
  const limited = applicationCredential && (await limitedBy(db, scoped, applicationCredential));
  return limited && { token, ...who, ...limited, applicationCredential };
}

/** Returns what is left of a scope under an application credential; undefined if the user no longer has one of its roles. */
export async function limitedBy(
  db: Queries,
  scoped: Scoped,
  credential: ApplicationCredentialRow,
): Promise<Scoped | undefined> {
  const ids = roleIdsOf(credential);
  const roles = scoped.roles.filter(({ id }) => ids.includes(id));
  return roles.length < ids.length ? undefined : { ...scoped, roles: withImplied(roles, await listRoles(db)) };
}

export const isAdmin = ({ roles }: Pick<Scoped, 'roles'>): boolean => roles.some(({ name }) => name === 'admin');
