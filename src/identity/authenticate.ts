import { type Authorization, enabledUser, limitedBy, type Scoped, scopedFor } from './authorization.ts';
import { type Json, objectIn, objectOf, textIn } from './body.ts';
import { badRequest, IdentityError, unauthorized } from './errors.ts';
import type { Authenticated, IdentityService } from './service.ts';
import {
  type ApplicationCredentialRow,
  findApplicationCredential,
  listApplicationCredentials,
} from './store/application-credentials.ts';
import { domainNamed, findProject, type ProjectRow, projectNamed } from './store/projects.ts';
import { findUser, type UserRow, userNamed } from './store/users.ts';
import type { Scope, TokenContent } from './tokens.ts';

/** A new token, and what it means. */
export interface IssuedToken {
  readonly token: string;
  readonly content: TokenContent;
  readonly user: UserRow;
  readonly userDomain: ProjectRow;
  readonly scoped: Scoped;
  readonly applicationCredential?: ApplicationCredentialRow;
}

/**
 * Returns the domain that `{ domain: { id } }` or `{ domain: { name } }` names; undefined if there is none. Throws IdentityError
 * 400.
 */
async function domainOf(identity: IdentityService, reference: Json): Promise<ProjectRow | undefined> {
  const domain = objectIn(reference, 'domain');
  const id = textIn(domain, 'id');
  if (id !== undefined) return findProject(identity.db, true, id);
  const name = textIn(domain, 'name');
  if (name === undefined) throw badRequest('domain must have an id or a name.');
  return domainNamed(identity.db, name);
}

/** Returns the user that a reference names by its id, or by its name and domain. Throws IdentityError 400. */
async function userOf(identity: IdentityService, reference: Json): Promise<UserRow | undefined> {
  const id = textIn(reference, 'id');
  if (id !== undefined) return findUser(identity.db, id);
  const name = textIn(reference, 'name');
  if (name === undefined) throw badRequest('user must have an id, or a name and a domain.');
  const domain = await domainOf(identity, reference);
  return domain && userNamed(identity.db, domain.id, name);
}

/** Returns the key of an unknown name in the throttle: bounded, because many are remembered. */
const unknown = (named: string): string => `unknown ${named.slice(0, 100)}`;

/**
 * Checks the password of a user, as often as the throttle allows. Unknown users take as long as known ones. Throws IdentityError
 * 401, and 429 when there were too many wrong ones from this address.
 */
export async function checkPassword(
  identity: IdentityService,
  user: UserRow | undefined,
  named: string,
  password: string,
  address: string,
): Promise<void> {
  await checkSecret(identity, user?.id ?? unknown(named), user?.password_hash, password, address);
}

/** Checks the secret of `who`, which has the hash; undefined or null if there is none. Throws as `checkPassword`. */
async function checkSecret(
  identity: IdentityService,
  who: string,
  hash: string | null | undefined,
  secret: string,
  address: string,
): Promise<void> {
  const waitMs = identity.throttle.attempt(who, address);
  if (waitMs > 0) {
    const seconds = Math.ceil(waitMs / 1_000);
    throw new IdentityError(429, `Too many wrong passwords; try again in ${seconds} s.`, {
      'retry-after': String(seconds),
    });
  }
  if (await identity.passwords.matches(secret, hash)) return identity.throttle.succeeded(who, address);
  identity.log.warn({ ...(hash ? { id: who } : {}), address }, 'a login with a wrong user or password was refused');
  throw unauthorized();
}

async function byPassword(identity: IdentityService, method: Json, address: string): Promise<Authenticated> {
  const reference = objectIn(method, 'user');
  const password = textIn(reference, 'password');
  if (password === undefined) throw badRequest('password is a required property.');
  const user = await userOf(identity, reference);
  const named = textIn(reference, 'id') ?? textIn(reference, 'name') ?? '';
  await checkPassword(identity, user, named, password, address);
  if (!user) throw unauthorized();
  return { user, methods: ['password'] };
}

/** Returns the application credential that a reference names by its id, or by its name and user. Throws IdentityError 400. */
async function applicationCredentialOf(
  identity: IdentityService,
  reference: Json,
): Promise<ApplicationCredentialRow | undefined> {
  const id = textIn(reference, 'id');
  if (id !== undefined) return findApplicationCredential(identity.db, id);
  const name = textIn(reference, 'name');
  if (name === undefined) throw badRequest('application_credential must have an id, or a name and a user.');
  const user = await userOf(identity, objectIn(reference, 'user'));
  return user && (await listApplicationCredentials(identity.db, user.id, name))[0];
}

async function byApplicationCredential(
  identity: IdentityService,
  method: Json,
  address: string,
): Promise<Authenticated> {
  const secret = textIn(method, 'secret');
  if (secret === undefined) throw badRequest('secret is a required property.');
  const found = await applicationCredentialOf(identity, method);
  const named = textIn(method, 'id') ?? textIn(method, 'name') ?? '';
  await checkSecret(identity, found?.id ?? unknown(named), found?.secret_hash, secret, address);
  const user = found && (await findUser(identity.db, found.user_id));
  if (!user || (found.expires_at !== null && Number(found.expires_at) <= identity.now())) throw unauthorized();
  return { user, methods: ['application_credential'], applicationCredential: found };
}

async function byToken(identity: IdentityService, method: Json): Promise<Authenticated> {
  const id = textIn(method, 'id');
  if (id === undefined) throw badRequest('id is a required property.');
  const known = await identity.authorization(id);
  // Otherwise another scope would give more than the credential.
  if (!known || known.applicationCredential) throw unauthorized();
  return { user: known.user, methods: ['token'], by: known.token };
}

const METHODS: ReadonlyMap<
  string,
  (identity: IdentityService, parameters: Json, address: string) => Promise<Authenticated>
> = new Map([
  ['password', byPassword],
  ['token', byToken],
  ['application_credential', byApplicationCredential],
]);

/** Checks every method of the request. Throws IdentityError 401 unless all succeed, for one user. */
async function authenticated(identity: IdentityService, auth: Json, address: string): Promise<Authenticated> {
  const request = objectIn(auth, 'identity');
  const methods = request.methods;
  if (!Array.isArray(methods) || methods.length === 0)
    throw badRequest('methods must be a list of at least one method.');
  let found: Authenticated | undefined;
  for (const method of new Set<unknown>(methods)) {
    const check = typeof method === 'string' ? METHODS.get(method) : undefined;
    if (!check) throw unauthorized();
    const one = await check(identity, objectIn(request, String(method)), address);
    if (found && found.user.id !== one.user.id) throw unauthorized();
    found = { ...found, ...one, methods: [...(found?.methods ?? []), ...one.methods] };
  }
  if (!found) throw unauthorized();
  return found;
}

/** Returns the scope that a request names; undefined if it names none. Throws IdentityError 400, and 401 if it does not exist. */
async function requestedScope(identity: IdentityService, auth: Json): Promise<Scope | undefined> {
  if (auth.scope === undefined || auth.scope === null) return undefined;
  if (auth.scope === 'unscoped') return { kind: 'unscoped' };
  const scope = objectIn(auth, 'scope');
  if (scope.unscoped !== undefined) return { kind: 'unscoped' };
  if (scope.system !== undefined) {
    if (objectIn(scope, 'system').all !== true) throw badRequest('The scope system must be {"all": true}.');
    return { kind: 'system' };
  }
  if (scope.domain !== undefined) {
    const domain = await domainOf(identity, scope);
    if (!domain) throw unauthorized();
    return { kind: 'domain', id: domain.id };
  }
  const project = objectIn(scope, 'project');
  const id = textIn(project, 'id');
  if (id !== undefined) return { kind: 'project', id };
  const name = textIn(project, 'name');
  if (name === undefined) throw badRequest('The scope project must have an id, or a name and a domain.');
  const domain = await domainOf(identity, project);
  const found = domain && (await projectNamed(identity.db, domain.id, name));
  if (!found) throw unauthorized();
  return { kind: 'project', id: found.id };
}

/** Returns what the scope of a request gives to the user; without one, the user's default project or no scope. */
async function scopedOf(identity: IdentityService, user: UserRow, auth: Json): Promise<Scoped> {
  const requested = await requestedScope(identity, auth);
  if (requested) {
    const scoped = await scopedFor(identity.db, user.id, requested);
    if (!scoped) throw unauthorized();
    return scoped;
  }
  const id = user.default_project_id;
  const own = id === null ? undefined : await scopedFor(identity.db, user.id, { kind: 'project', id });
  return own ?? { scope: { kind: 'unscoped' }, roles: [] };
}

/** Returns what an application credential gives; a request with one must not name a scope. */
async function scopedByCredential(
  identity: IdentityService,
  credential: ApplicationCredentialRow,
  auth: Json,
): Promise<Scoped> {
  if (auth.scope !== undefined && auth.scope !== null) throw unauthorized();
  const { user_id, project_id: id } = credential;
  const scoped = await scopedFor(identity.db, user_id, { kind: 'project', id });
  const limited = scoped && (await limitedBy(identity.db, scoped, credential));
  if (!limited) throw unauthorized();
  return limited;
}

/**
 * Issues the token that the body of `POST /auth/tokens` requests. Throws IdentityError: 400 for a malformed body, 401 for
 * whatever else is wrong.
 */
export async function authenticate(identity: IdentityService, body: unknown, address: string): Promise<IssuedToken> {
  const auth = objectIn(objectOf(body, 'The body'), 'auth');
  const proven = await authenticated(identity, auth, address);
  const who = await enabledUser(identity.db, proven.user.id);
  if (!who) throw unauthorized();
  const scoped = proven.applicationCredential
    ? await scopedByCredential(identity, proven.applicationCredential, auth)
    : await scopedOf(identity, who.user, auth);
  // Of the user that was authenticated: a password that has changed meanwhile makes the new token invalid.
  const { applicationCredential } = proven;
  return {
    ...{ ...identity.issue(proven, scoped.scope), ...who, scoped },
    ...(applicationCredential ? { applicationCredential } : {}),
  };
}

export const issuedFrom = (token: string, authorization: Authorization): IssuedToken => ({
  token,
  content: authorization.token,
  user: authorization.user,
  userDomain: authorization.userDomain,
  scoped: authorization,
  ...(authorization.applicationCredential ? { applicationCredential: authorization.applicationCredential } : {}),
});
