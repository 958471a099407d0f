/** Summaries of the operations on a path, by HTTP method. */
type Operations = Readonly<Partial<Record<'get' | 'head' | 'post' | 'put' | 'patch' | 'delete', string>>>;

/** Summaries of operations by path, with parameters in braces. */
export type DescribedPaths = Readonly<Record<string, Operations>>;

const collection = (plural: string, article: string): DescribedPaths => {
  const one = `${article} ${plural.slice(0, -1)}`;
  return {
    [`/identity/v3/${plural}`]: { get: `List ${plural}`, post: `Create ${one}` },
    [`/identity/v3/${plural}/{id}`]: { get: `Show ${one}`, patch: `Update ${one}`, delete: `Delete ${one}` },
  };
};

const readOnly = (plural: string, article: string): DescribedPaths => ({
  [`/identity/v3/${plural}`]: { get: `List ${plural}` },
  [`/identity/v3/${plural}/{id}`]: { get: `Show ${article} ${plural.slice(0, -1)}` },
});

const assignments = (target: string, on: string): DescribedPaths => ({
  [`/identity/v3/${target}/users/{user}/roles`]: { get: `List the roles of a user on ${on}` },
  [`/identity/v3/${target}/users/{user}/roles/{role}`]: {
    get: `Check whether a user has a role on ${on}`,
    head: `Check whether a user has a role on ${on}`,
    put: `Assign a role to a user on ${on}`,
    delete: `Remove a role of a user on ${on}`,
  },
});

/** What OpenAPI says of the routes of Identity v3; a test compares them. */
export const IDENTITY_OPERATIONS: DescribedPaths = {
  '/identity': { get: 'List the versions of the Identity API' },
  '/identity/v3': { get: 'Show the version of the Identity API' },
  '/identity/v3/auth/tokens': {
    get: 'Validate the token of X-Subject-Token',
    head: 'Validate the token of X-Subject-Token',
    post: 'Issue a token',
    delete: 'Revoke the token of X-Subject-Token',
  },
  '/identity/v3/auth/catalog': { get: 'Show the catalogue of the token' },
  '/identity/v3/auth/projects': { get: 'List the projects on which the user has a role' },
  '/identity/v3/auth/domains': { get: 'List the domains on which the user has a role' },
  '/identity/v3/auth/system': { get: 'Show whether the user has a role on the system' },
  ...collection('users', 'a'),
  '/identity/v3/users/{id}/password': { post: 'Change the password of a user' },
  '/identity/v3/users/{id}/projects': { get: 'List the projects of a user' },
  '/identity/v3/users/{id}/groups': { get: 'List the groups of a user: there are none' },
  '/identity/v3/users/{user}/application_credentials': {
    get: 'List the application credentials of a user',
    post: 'Create an application credential',
  },
  '/identity/v3/users/{user}/application_credentials/{id}': {
    get: 'Show an application credential',
    delete: 'Delete an application credential',
  },
  '/identity/v3/groups': { get: 'List groups: there are none' },
  ...collection('projects', 'a'),
  ...collection('domains', 'a'),
  ...collection('roles', 'a'),
  '/identity/v3/roles/{id}/implies': { get: 'List the roles that a role implies' },
  '/identity/v3/role_inferences': { get: 'List the roles that imply others' },
  ...assignments('projects/{target}', 'a project'),
  ...assignments('domains/{target}', 'a domain'),
  ...assignments('system', 'the system'),
  '/identity/v3/role_assignments': { get: 'List role assignments' },
  ...readOnly('services', 'a'),
  ...readOnly('endpoints', 'an'),
  ...readOnly('regions', 'a'),
};
