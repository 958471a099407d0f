import { pino } from 'pino';
import { expect, it } from 'vitest';
import { keystone } from '../../../src/auth/keystone/provider.ts';
import type { Config } from '../../../src/config/options.ts';
import { configWith } from '../../support/core.ts';

const start = (keystone_authtoken: Partial<Config['keystone_authtoken']>) =>
  keystone({ config: configWith({ keystone_authtoken }), log: pino({ level: 'silent' }) });

it('needs to know Keystone, and its own user there', () => {
  const missing = ['auth_url', 'password', 'project_name'].map(
    (name) => `[keystone_authtoken] ${name}: must be set, because auth_strategy is keystone`,
  );
  expect(() => start({ username: 'neutron' })).toThrow(missing.join('\n'));
});

it('names a certificate file that cannot be read', () => {
  const rest = { auth_url: 'http://127.0.0.1:1', username: 'u', password: 'x', project_name: 'p' };
  for (const name of ['cafile', 'certfile', 'keyfile'])
    expect(() => start({ ...rest, [name]: '/no/file' })).toThrow(`[keystone_authtoken] ${name} = /no/file: ENOENT`);
});
