import { BY_SERVER, certificates, LOGIN, URL } from './keystone-login.ts';
import { flag, integer, list, text } from './option.ts';

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
  ...LOGIN,
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
  ...certificates("Keystone's", 'Keystone'),
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
