import { chmodSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { FileUser, IdentityFile } from './file/read.ts';

/** Name of the file below the state path that says who the users are. */
export const IDENTITY_FILE = 'identity.yaml';
/** Names of the files that are made from it, and of the clouds in the first one. */
export const CLOUDS_FILE = 'clouds.yaml';
export const OPENRC_FILE = 'openrc';
export const ADMIN_OPENRC_FILE = 'openrc-admin';
export const MEMBER_CLOUD = 'neutrino';
export const ADMIN_CLOUD = 'neutrino-admin';

/** Where clients log in. */
export interface LoginPlace {
  readonly authUrl: string;
  readonly region: string;
}

interface Login {
  readonly user: FileUser;
  readonly project: { readonly name: string; readonly domain: string };
}

/** Returns the first user that has a role on a project for which `wanted` holds. */
function loginWith({ users }: IdentityFile, wanted: (role: string) => boolean): Login | undefined {
  for (const user of users)
    for (const { role, project } of user.grants) if (user.enabled && project && wanted(role)) return { user, project };
  return undefined;
}

/**
 * Writes `clouds.yaml`, `openrc` and `openrc-admin`, which only their owner can read, for the first administrator of a file and the
 * first of the other users (the administrator if there is none). Returns whether there was anybody to write them for.
 */
export function writeClientFiles(folder: string, file: IdentityFile, place: LoginPlace): boolean {
  const admin = loginWith(file, (role) => role === 'admin');
  const member = loginWith(file, (role) => role !== 'admin') ?? admin;
  if (!member) return false;
  const clouds = {
    [MEMBER_CLOUD]: cloud(member, place),
    ...(admin ? { [ADMIN_CLOUD]: cloud(admin, place) } : {}),
  };
  const made = '# Made by Neutrino at each start. Read with OS_CLIENT_CONFIG_FILE.\n';
  writePrivate(join(folder, CLOUDS_FILE), `${made}${stringify({ clouds }, { lineWidth: 0 })}`);
  writePrivate(join(folder, OPENRC_FILE), openrc(member, place));
  if (admin) writePrivate(join(folder, ADMIN_OPENRC_FILE), openrc(admin, place));
  return true;
}

const cloud = ({ user, project }: Login, { authUrl, region }: LoginPlace): object => ({
  auth: {
    ...{ auth_url: authUrl, username: user.name, password: user.password, user_domain_name: user.domain },
    ...{ project_name: project.name, project_domain_name: project.domain },
  },
  region_name: region,
  identity_api_version: '3',
});

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

function openrc({ user, project }: Login, { authUrl, region }: LoginPlace): string {
  const variables: Readonly<Record<string, string>> = {
    ...{ OS_AUTH_TYPE: 'password', OS_AUTH_URL: authUrl, OS_IDENTITY_API_VERSION: '3', OS_REGION_NAME: region },
    ...{ OS_USERNAME: user.name, OS_USER_DOMAIN_NAME: user.domain, OS_PASSWORD: user.password },
    ...{ OS_PROJECT_NAME: project.name, OS_PROJECT_DOMAIN_NAME: project.domain },
  };
  const lines = Object.entries(variables).map(([name, value]) => `export ${name}=${quoted(value)}\n`);
  // Variables of an earlier login would win.
  const others = 'OS_CLOUD OS_TOKEN OS_ENDPOINT OS_PROJECT_ID OS_USER_ID OS_SYSTEM_SCOPE OS_DOMAIN_NAME';
  return `# Made by Neutrino at each start.\nunset ${others}\n${lines.join('')}`;
}

/** Writes a file that only its owner can read, whole or not at all. */
function writePrivate(path: string, text: string): void {
  const partial = `${path}.${process.pid}.new`;
  writeFileSync(partial, text, { mode: 0o600 });
  // The mode above does not apply to a file that a killed process has left.
  chmodSync(partial, 0o600);
  renameSync(partial, path);
}
