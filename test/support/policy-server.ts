import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { pino } from 'pino';
import type { Identity, IdentityProvider } from '../../src/auth/contract.ts';
import { Unauthorized } from '../../src/auth/unauthorized.ts';
import { startServer } from '../../src/cli/compose/server.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { Database } from '../../src/db/database.ts';
import { createMemoryTransport } from '../../src/rpc/memory/transport.ts';

/**
 * A server for the comparison of the policy matrix (`compare --tokens FILE`): SQLite, no agents, fixed tokens, no quotas.
 *
 *     node test/support/policy-server.ts --port 9801 --tokens /tmp/tokens.json [--config-file FILE] [--option section.name=value]
 */

/** Ids of the projects by the names that the matrix uses. */
export const PROJECTS = {
  pa: 'aaaaaaaa000000000000000000000001',
  p1: 'aaaaaaaa000000000000000000000002',
  p2: 'aaaaaaaa000000000000000000000003',
  ps: 'aaaaaaaa000000000000000000000004',
} as const;

/** Project and roles of each caller; Keystone's implied roles make an administrator a member, and a member a reader. */
const CALLERS: Readonly<Record<string, readonly [keyof typeof PROJECTS, ...string[]]>> = {
  admin: ['pa', 'admin', 'member', 'reader'],
  member1: ['p1', 'member', 'reader'],
  reader1: ['p1', 'reader'],
  member2: ['p2', 'member', 'reader'],
  nobody: ['p1', 'nobody'],
  service: ['ps', 'service'],
  advsvc: ['ps', 'advsvc'],
};

const tokenOf = (caller: string): string => `policy-token-of-${caller}`;

const IDENTITIES: ReadonlyMap<unknown, Identity> = new Map(
  Object.entries(CALLERS).map(([caller, [project, ...roles]]) => [
    tokenOf(caller),
    {
      userId: `user-${caller}`,
      projectId: PROJECTS[project],
      domainId: '',
      userDomainId: 'default',
      projectDomainId: 'default',
      roles,
      systemScope: false,
      serviceRoles: [],
    },
  ]),
);

/** The content of `compare`'s `--tokens` file. */
export const TOKENS = {
  projects: PROJECTS,
  tokens: {
    ...Object.fromEntries(Object.keys(CALLERS).map((caller) => [caller, tokenOf(caller)])),
    none: null,
    garbage: 'gAAAAABnot-a-token',
  },
};

/** Accepts the fixed tokens. */
const fixedTokens: IdentityProvider = {
  identify(headers) {
    const identity = IDENTITIES.get(headers['x-auth-token']);
    if (!identity) throw new Unauthorized('http://127.0.0.1:5000');
    return identity;
  },
};

/** The matrix names a DHCP agent: one that is dead, so that no network is scheduled on it. */
async function seedAgent({ kysely }: Database): Promise<void> {
  const [host, longAgo] = ['policy-agent', '2020-01-01 00:00:00'];
  if (await kysely.selectFrom('agents').select('id').where('host', '=', host).executeTakeFirst()) return;
  await kysely
    .insertInto('agents')
    .values({
      id: '0a9e0a9e-0000-4000-8000-000000000001',
      agent_type: 'DHCP agent',
      binary: 'neutron-dhcp-agent',
      topic: 'dhcp_agent',
      host,
      availability_zone: 'nova',
      admin_state_up: 1,
      created_at: longAgo,
      started_at: longAgo,
      heartbeat_timestamp: longAgo,
      configurations: '{}',
      load: 0,
    })
    .execute();
}

export interface PolicyServer {
  readonly url: string;
  /** Stops the server and removes its database. */
  close(): Promise<void>;
}

/** Starts the server. `options`: `section.name=value`, which override the configuration files. */
export async function startPolicyServer(
  port = 0,
  { files = [], options = [] }: { readonly files?: readonly string[]; readonly options?: readonly string[] } = {},
): Promise<PolicyServer> {
  const state = mkdtempSync(join(tmpdir(), 'neutrino-policy-'));
  const unlimited = ['network', 'subnet', 'port', 'router', 'floatingip', 'security_group', 'security_group_rule'];
  const pairs = [
    ...[...unlimited, 'rbac_policy'].map((name) => `quotas.quota_${name}=-1`),
    'oslo_policy.enforce_new_defaults=false',
    // As on the recorded server.
    'ml2.extension_drivers=port_security,dns,qos',
    'ml2_type_vlan.network_vlan_ranges=physnet1:100:199',
    ...options,
  ].map((option) => /^([^.=]+)\.([^=]+)=(.*)$/s.exec(option) ?? []);
  const env = Object.fromEntries(pairs.map(([, section, name, value]) => [`OS_${section}__${name}`, value]));
  const { config } = loadConfig({ files, env, flags: { '--state-path': state, '--bind-port': String(port) } });
  const log = pino({ level: process.env.POLICY_LOG ?? 'silent' });
  const transport = createMemoryTransport({ log });
  const server = await startServer({
    config,
    log,
    transport,
    embedded: true,
    identity: fixedTokens,
    prepare: seedAgent,
  });
  return {
    url: server.url,
    async close() {
      await server.close();
      await transport.close();
      rmSync(state, { recursive: true, force: true });
    },
  };
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '0' },
      tokens: { type: 'string', default: 'tokens.json' },
      'config-file': { type: 'string', multiple: true, default: [] },
      option: { type: 'string', multiple: true, default: [] },
    },
  });
  const server = await startPolicyServer(Number(values.port), { files: values['config-file'], options: values.option });
  writeFileSync(values.tokens, JSON.stringify(TOKENS));
  console.log(`${server.url}  tokens: ${values.tokens}`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => void server.close().then(() => process.exit(0)));
}
