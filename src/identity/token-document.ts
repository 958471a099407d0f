import type { IssuedToken } from './authenticate.ts';
import type { ProjectRow } from './store/projects.ts';

const named = ({ id, name }: { readonly id: string; readonly name: string }) => ({ id, name });

/** Returns a time as Keystone writes it, with microseconds. */
export const timeText = (ms: number): string => new Date(ms).toISOString().replace('Z', '000Z');

const projectOf = (project: ProjectRow, domain: ProjectRow | undefined) => ({
  ...named(project),
  ...(domain ? { domain: named(domain) } : {}),
});

/** Returns a token as its holder sees it. `catalog`: undefined if the request does not want it. */
export function tokenDocument(
  { content, user, userDomain, scoped, applicationCredential }: IssuedToken,
  catalog: readonly object[] | undefined,
): object {
  const { project, domain, roles, scope } = scoped;
  const isScoped = scope.kind !== 'unscoped';
  return {
    methods: content.methods,
    user: { ...named(user), domain: named(userDomain), password_expires_at: null },
    audit_ids: content.auditIds,
    issued_at: timeText(content.issuedAt),
    expires_at: timeText(content.expiresAt),
    ...(project ? { project: projectOf(project, domain), is_domain: false } : {}),
    ...(scope.kind === 'domain' && domain ? { domain: named(domain) } : {}),
    ...(scope.kind === 'system' ? { system: { all: true } } : {}),
    ...(applicationCredential
      ? { application_credential: { ...named(applicationCredential), restricted: !applicationCredential.unrestricted } }
      : {}),
    ...(isScoped ? { roles: roles.map(named) } : {}),
    ...(isScoped && catalog ? { catalog } : {}),
  };
}
