import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keystone as keystoneProvider } from '../../../src/auth/keystone/provider.ts';
import type { Config } from '../../../src/config/options.ts';
import { run } from '../../../src/linux/run.ts';
import { configWith } from '../../support/core.ts';
import { type Keystone, keystoneObstacle, startKeystone } from '../../support/keystone.ts';
import type { Account } from '../../support/keystone-accounts.ts';

const obstacle = keystoneObstacle();

describe.skipIf(obstacle)(`TLS to Keystone${obstacle ? ` (skipped: ${obstacle})` : ''}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'neutrino-keystone-tls-'));
  const at = (name: string) => join(folder, name);
  let keystone: Keystone;
  let neutron: Account;
  let token: string;

  /** Makes a certificate, signed by `ca` or by itself. */
  async function certificate(
    name: string,
    ca?: string,
    extension = 'basicConstraints=critical,CA:TRUE',
  ): Promise<void> {
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', at(`${name}.key`)];
    const signed = ca ? ['-CA', at(`${ca}.pem`), '-CAkey', at(`${ca}.key`)] : [];
    const out = ['-out', at(`${name}.pem`), '-subj', `/CN=${name}`, '-days', '3', '-addext', extension];
    await run(['openssl', 'req', '-x509', ...key, ...signed, ...out], { timeoutMs: 60_000 });
  }

  beforeAll(async () => {
    for (const ca of ['ca', 'other-ca']) await certificate(ca);
    await certificate('server', 'ca', 'subjectAltName=IP:127.0.0.1');
    await certificate('client', 'ca', 'extendedKeyUsage=clientAuth');
    const tls = { cert: at('server.pem'), key: at('server.key'), clientCa: at('ca.pem') };
    keystone = await startKeystone({ tls });
    neutron = await keystone.accounts.account('services', ['service'], 'neutron');
    token = await keystone.accounts.adminToken();
  });
  afterAll(async () => {
    await keystone?.dispose();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Identifies the author of a token; resolves to its roles, or to the reason in the log. */
  async function identify(options: Partial<Config['keystone_authtoken']>): Promise<string> {
    let log = '';
    const config = configWith({
      keystone_authtoken: {
        auth_url: keystone.tlsUrl,
        username: neutron.user,
        password: neutron.password,
        project_name: neutron.project,
        // Not in the catalogue, which has no URLs with TLS.
        interface: 'admin',
        ...options,
      },
    });
    const write = (line: string) => {
      log += line;
    };
    const provider = keystoneProvider({ config, log: pino({ level: 'error' }, { write }) });
    try {
      return (await provider.identify({ 'x-auth-token': token })).roles.toSorted().join(' ');
    } catch {
      return log;
    } finally {
      await provider.close?.();
    }
  }

  const client = { certfile: at('client.pem'), keyfile: at('client.key') };

  it('trusts the certificates of cafile alone, and presents certfile', async () => {
    expect(await identify({ cafile: at('ca.pem'), ...client })).toBe('admin member reader');
    expect(await identify({ insecure: true, ...client })).toBe('admin member reader');
  });

  it.each([
    ['no cafile', client, /check cafile in/],
    ['another authority', { cafile: at('other-ca.pem'), ...client }, /check cafile in/],
    ['no client certificate', { cafile: at('ca.pem') }, /certificate required|other side closed|ECONNRESET|alert/],
  ])('lets nobody in with %s', async (_, options, reason) => {
    const log = await identify(options);
    expect(log).toMatch(reason);
    expect(log).toContain('requests are answered with 503');
  });
});
