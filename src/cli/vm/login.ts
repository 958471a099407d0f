import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { IDENTITY_PATH } from '../../identity/catalog.ts';
import { ADMIN_CLOUD, CLOUDS_FILE } from '../../identity/client-files.ts';
import { LabFailure } from '../../lab/failure.ts';
import type { Login } from '../../lab/neutron.ts';

/** Where and as whom to log in, by the names of clouds.yaml. */
interface Credentials {
  readonly auth_url: string;
  readonly username: string;
  readonly password: string;
  readonly project_name: string;
  readonly user_domain_name: string;
  readonly project_domain_name: string;
}

const LOGIN_MS = 30_000;

/** Returns the administrator of the `clouds.yaml` that Neutrino writes below its state path; undefined if there is none. */
function ofStatePath(statePath: string): Credentials | undefined {
  const path = join(statePath, CLOUDS_FILE);
  try {
    const file = parse(readFileSync(path, 'utf8')) as {
      readonly clouds?: Readonly<Record<string, { readonly auth?: Credentials } | undefined>>;
    };
    return file.clouds?.[ADMIN_CLOUD]?.auth;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new LabFailure(`${path} cannot be read: ${error instanceof Error ? error.message : error}`);
  }
}

/** Returns the user of an openrc, from the environment; undefined if it names none. */
function ofEnvironment(env: Readonly<Record<string, string | undefined>>): Credentials | undefined {
  const { OS_AUTH_URL, OS_USERNAME, OS_PASSWORD, OS_PROJECT_NAME } = env;
  if (!OS_AUTH_URL || !OS_USERNAME || !OS_PASSWORD || !OS_PROJECT_NAME) return undefined;
  return {
    ...{ auth_url: OS_AUTH_URL, username: OS_USERNAME, password: OS_PASSWORD, project_name: OS_PROJECT_NAME },
    user_domain_name: env.OS_USER_DOMAIN_NAME ?? 'Default',
    project_domain_name: env.OS_PROJECT_DOMAIN_NAME ?? 'Default',
  };
}

/** The API that a command talks to. */
interface LoginTarget {
  readonly url: string;
  readonly statePath: string;
  /** It is that of the Neutrino that runs on the state path. */
  readonly isOwn: boolean;
}

/**
 * Returns how commands of this host log in: as the administrator of the state path if the API is its own, because a password is sent
 * nowhere else; otherwise as the user of the environment (`OS_USERNAME`, ...).
 */
export function loginOf(
  { url, statePath, isOwn }: LoginTarget,
  env: Readonly<Record<string, string | undefined>>,
): Login {
  return async () => {
    const own = ofStatePath(statePath);
    const base = new URL(url).origin;
    if (own && (isOwn || new URL(own.auth_url).origin === base))
      return logIn({ ...own, auth_url: `${base}${IDENTITY_PATH}` });
    const credentials = ofEnvironment(env);
    return credentials && logIn(credentials);
  };
}

async function logIn(credentials: Credentials): Promise<string> {
  const { auth_url, username, password, project_name, user_domain_name, project_domain_name } = credentials;
  const user = { name: username, password, domain: { name: user_domain_name } };
  const scope = { project: { name: project_name, domain: { name: project_domain_name } } };
  const target = `${auth_url.replace(/\/+$/, '').replace(/(\/v3)?$/, '/v3')}/auth/tokens`;
  const what = `login of ${username} at ${target}`;
  let response: Response;
  try {
    response = await fetch(target, {
      method: 'POST',
      redirect: 'error',
      signal: AbortSignal.timeout(LOGIN_MS),
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ auth: { identity: { methods: ['password'], password: { user } }, scope } }),
    });
  } catch (error) {
    throw new LabFailure(`${what} failed: ${error instanceof Error ? error.message : error}`, { cause: error });
  }
  await response.body?.cancel();
  const token = response.headers.get('x-subject-token');
  if (response.status === 201 && token !== null) return token;
  throw new LabFailure(`${what} was refused with ${response.status}`);
}
