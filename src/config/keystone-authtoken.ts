import { flag, integer, list, text } from './option.ts';

/** Agents ignore the section: only servers authenticate callers. */
const BY_SERVER = { readBy: 'server' } as const;
const URL = { pattern: /^(https?:\/\/[^\s/?#@]+(\/[^\s?#]*)?)?$/, hint: 'a URL such as http://keystone:5000/v3' };

/** `[keystone_authtoken]`: the Keystone that issues tokens (`auth_strategy = keystone`), and Neutrino's own user there. */
export const KEYSTONE_AUTHTOKEN = {
  auth_url: text('', 'URL of Keystone; `/v3` is appended if it is missing', URL, {
    ...BY_SERVER,
    formerly: ['identity_uri'],
  }),
  www_authenticate_uri: text(
    '',
    'URL of Keystone for clients, named in answers without a valid token; empty: auth_url',
    URL,
    { ...BY_SERVER, formerly: ['auth_uri'] },
  ),
  auth_type: text(
    'password',
    "how Neutrino's user logs in",
    { choices: ['password'], aliases: { v3password: 'password' } },
    { ...BY_SERVER, formerly: ['auth_plugin'] },
  ),
  username: text('', "name of Neutrino's user", {}, { ...BY_SERVER, formerly: ['user_name'] }),
  user_id: text('', 'its id, instead of name and domain', {}, BY_SERVER),
  password: text('', 'its password', {}, { ...BY_SERVER, secret: true }),
  user_domain_id: text('', "id of the user's domain; without id and name: default", {}, BY_SERVER),
  user_domain_name: text('', "name of the user's domain", {}, BY_SERVER),
  project_name: text(
    '',
    'name of the project that the user logs in to',
    {},
    { ...BY_SERVER, formerly: ['tenant_name'] },
  ),
  project_id: text('', 'its id, instead of name and domain', {}, { ...BY_SERVER, formerly: ['tenant_id'] }),
  project_domain_id: text('', "id of the project's domain; without id and name: default", {}, BY_SERVER),
  project_domain_name: text('', "name of the project's domain", {}, BY_SERVER),
  region_name: text('', 'region of the endpoint at which tokens are validated; empty: the first one', {}, BY_SERVER),
  interface: text(
    'internal',
    'interface of the endpoint at which tokens are validated; auth_url, if the catalogue has no such endpoint',
    {
      choices: ['internal', 'public', 'admin'],
      aliases: { internalURL: 'internal', publicURL: 'public', adminURL: 'admin' },
    },
    BY_SERVER,
  ),
  cafile: text('', "CA certificates to verify Keystone's with; empty: those of Node.js", { path: true }, BY_SERVER),
  certfile: text('', 'client certificate sent to Keystone', { path: true }, BY_SERVER),
  keyfile: text('', 'private key of certfile', { path: true }, BY_SERVER),
  insecure: flag(false, "accept any certificate of Keystone's", BY_SERVER),
  http_connect_timeout: integer(10, 'seconds that a request to Keystone may take', 1, 300, BY_SERVER),
  http_request_max_retries: integer(
    3,
    'times that a request is repeated if Keystone cannot be reached or answers 502, 503 or 504',
    0,
    10,
    BY_SERVER,
  ),
  token_cache_time: integer(
    300,
    'seconds that a valid token is not validated again, and so the time until its revocation takes effect; -1: no caching',
    -1,
    86_400,
    BY_SERVER,
  ),
  service_token_roles: list(
    ['service'],
    'roles of which the service that sends X-Service-Token must have one for users with expired tokens',
    {},
    BY_SERVER,
  ),
  service_token_roles_required: flag(false, 'reject service tokens without such a role', BY_SERVER),
} as const;
