import { flag, text } from './option.ts';

/** Agents ignore these options: only servers log in. */
export const BY_SERVER = { readBy: 'server' } as const;

/** Values of options that name a URL; empty is allowed. */
export const URL = {
  pattern: /^(https?:\/\/[^\s/?#@]+(\/[^\s?#]*)?)?$/,
  hint: 'a URL such as http://keystone:5000/v3',
};

/** Options of every section with which Neutrino logs in at a Keystone. */
export const LOGIN = {
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
} as const;

/** Returns the options of TLS to a service. `whose`: its name in the possessive, for the descriptions. */
export const certificates = (whose: string, service: string) => ({
  cafile: text('', `CA certificates to verify ${whose} with; empty: those of Node.js`, { path: true }, BY_SERVER),
  certfile: text('', `client certificate sent to ${service}`, { path: true }, BY_SERVER),
  keyfile: text('', 'private key of certfile', { path: true }, BY_SERVER),
  insecure: flag(false, `accept any certificate of ${whose}`, BY_SERVER),
});
