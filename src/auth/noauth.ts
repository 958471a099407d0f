import { neutronError } from '../resources/errors.ts';
import type { Headers, IdentityProvider } from './contract.ts';

/** The project of requests without one, as in Neutron without authentication. */
const NOAUTH_PROJECT = 'fake_project_id';
/** Width of the columns that store projects. */
const MAX_ID = 255;

function named(headers: Headers, ...names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = headers[name];
    if (typeof value !== 'string' || value === '') continue;
    if (value.length > MAX_ID)
      throw neutronError('HTTPBadRequest', {
        reason: `${name}: ${value.length} characters are more than the ${MAX_ID} allowed`,
      });
    return value;
  }
  return undefined;
}

/** No authentication: every caller is an administrator, in the project given by `X-Project-Id`. */
export const noauth: IdentityProvider = {
  identify: (headers) => ({
    userId: named(headers, 'x-user-id') ?? '',
    projectId: named(headers, 'x-project-id', 'x-tenant-id') ?? NOAUTH_PROJECT,
    domainId: '',
    userDomainId: '',
    projectDomainId: '',
    roles: ['admin', 'member', 'reader'],
    systemScope: false,
    serviceRoles: [],
  }),
};
