import type { YAMLMap } from 'yaml';
import { BUILT_IN } from '../store/roles.ts';
import { YamlFile } from './yaml-reader.ts';

/** The domain that exists always. */
export const DEFAULT_DOMAIN = { id: 'default', name: 'Default' };

export interface FileDomain {
  readonly id: string | undefined;
  readonly name: string;
  readonly description: string;
  readonly enabled: boolean;
}

interface FileProject extends FileDomain {
  /** Name of its domain. */
  readonly domain: string;
}

/** A role on a project, a domain or the system. */
interface FileGrant {
  readonly role: string;
  readonly project?: { readonly name: string; readonly domain: string };
  readonly domain?: string;
}

export interface FileUser extends FileProject {
  readonly password: string;
  readonly email: string | undefined;
  /** In the domain of the user. */
  readonly defaultProject: string | undefined;
  readonly grants: readonly FileGrant[];
}

/** What `identity.yaml` says. Domains include the default one, roles only those that do not exist always. */
export interface IdentityFile {
  readonly domains: readonly FileDomain[];
  readonly projects: readonly FileProject[];
  readonly roles: readonly string[];
  readonly users: readonly FileUser[];
}

const MAX_PASSWORD = 4096;
const MAX_ID = 64;

const common = (yaml: YamlFile, map: YAMLMap, nameLength: number) => ({
  id: yaml.name(map, 'id', MAX_ID),
  name: yaml.requiredName(map, 'name', nameLength),
  description: yaml.text(map, 'description') ?? '',
  enabled: yaml.flag(map, 'enabled', true),
});

/** Reads `identity.yaml`. Throws ConfigError that names the file, the line and what is wrong. */
export function readIdentityFile(text: string, file: string): IdentityFile {
  const yaml = new YamlFile(text, file);
  yaml.keys(yaml.root, ['domains', 'projects', 'roles', 'users']);

  const domains = yaml.maps(yaml.root, 'domains').map((map) => {
    yaml.keys(map, ['id', 'name', 'description', 'enabled']);
    return { map, ...common(yaml, map, 64) };
  });
  once(yaml, domains, ({ name }) => name, 'domain');
  const allDomains: readonly FileDomain[] = domains.some(({ name }) => name === DEFAULT_DOMAIN.name)
    ? domains
    : [{ ...DEFAULT_DOMAIN, description: 'The default domain', enabled: true }, ...domains];
  const domainIn = (map: YAMLMap, key: string, fallback: string): string => {
    const name = yaml.name(map, key) ?? fallback;
    if (allDomains.some((domain) => domain.name === name)) return name;
    throw yaml.wrong(map, `${key} ${JSON.stringify(name)} is none of the domains of this file`);
  };

  const roles = yaml.names(yaml.root, 'roles').filter((name) => !BUILT_IN.includes(name));
  const knownRoles = [...BUILT_IN, ...roles];

  const projects = yaml.maps(yaml.root, 'projects').map((map) => {
    yaml.keys(map, ['id', 'name', 'domain', 'description', 'enabled']);
    return { map, ...common(yaml, map, 64), domain: domainIn(map, 'domain', DEFAULT_DOMAIN.name) };
  });
  once(yaml, projects, ({ domain, name }) => `${domain}/${name}`, 'project');
  const projectIn = (map: YAMLMap, key: string, domain: string) => {
    const name = yaml.name(map, key);
    if (name === undefined || projects.some((one) => one.name === name && one.domain === domain)) return name;
    throw yaml.wrong(map, `${key} ${JSON.stringify(name)} is none of the projects of domain ${domain} in this file`);
  };

  const grantOf = (map: YAMLMap, userDomain: string): FileGrant => {
    yaml.keys(map, ['role', 'project', 'project_domain', 'domain', 'system']);
    const role = yaml.requiredName(map, 'role');
    if (!knownRoles.includes(role))
      throw yaml.wrong(map, `role ${JSON.stringify(role)} is unknown; known are ${knownRoles.join(', ')}`);
    const targets = ['project', 'domain', 'system'].filter((key) => map.has(key));
    if (targets.length !== 1) throw yaml.wrong(map, 'a role must be on one project, one domain, or "system: all"');
    if (map.has('system')) {
      if (yaml.text(map, 'system') !== 'all') throw yaml.wrong(map, 'system must be all');
      return { role };
    }
    if (map.has('domain')) return { role, domain: domainIn(map, 'domain', userDomain) };
    const domain = domainIn(map, 'project_domain', userDomain);
    return { role, project: { name: projectIn(map, 'project', domain) ?? '', domain } };
  };

  const users = yaml.maps(yaml.root, 'users').map((map) => {
    yaml.keys(map, [
      ...['id', 'name', 'domain', 'description', 'enabled', 'email'],
      ...['password', 'default_project', 'roles'],
    ]);
    const domain = domainIn(map, 'domain', DEFAULT_DOMAIN.name);
    const password = yaml.text(map, 'password') ?? '';
    if (password === '' || password.length > MAX_PASSWORD)
      throw yaml.wrong(map, `password must have 1 to ${MAX_PASSWORD} characters`);
    return {
      ...{ map, ...common(yaml, map, 255), domain, password },
      email: yaml.name(map, 'email'),
      defaultProject: projectIn(map, 'default_project', domain),
      grants: yaml.maps(map, 'roles').map((one) => grantOf(one, domain)),
    };
  });
  once(yaml, users, ({ domain, name }) => `${domain}/${name}`, 'user');
  return { domains: allDomains, projects, roles, users };
}

/** Throws ConfigError if two entries have the same key, or the same id. */
function once<T extends { readonly map: YAMLMap; readonly name: string; readonly id: string | undefined }>(
  yaml: YamlFile,
  entries: readonly T[],
  keyOf: (entry: T) => string,
  what: string,
): void {
  const keys = new Set<string>();
  const ids = new Set<string>();
  for (const entry of entries) {
    const { map, name, id } = entry;
    if (keys.has(keyOf(entry))) throw yaml.wrong(map, `there are two entries for ${what} ${JSON.stringify(name)}`);
    if (id !== undefined && ids.has(id)) throw yaml.wrong(map, `two entries have the id ${JSON.stringify(id)}`);
    keys.add(keyOf(entry));
    if (id !== undefined) ids.add(id);
  }
}
