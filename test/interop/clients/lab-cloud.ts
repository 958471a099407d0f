import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { parse } from 'yaml';
import { ApiClient } from '../../support/api-client.ts';
import { removeUnlessKept } from '../../support/folder.ts';
import type { Ini } from '../../support/ini.ts';
import { neutrinoCommand, writeConfigFiles } from '../../support/neutrino.ts';
import { Program } from '../../support/program.ts';

/** Options of the server: those of a site that serves what the clients' tests ask for. */
export const SITE: Ini = {
  DEFAULT: {
    // The agents of `addAgents` send no heartbeats.
    agent_down_time: 100_000_000,
    // Names of ports are kept only with a domain.
    dns_domain: 'example.org.',
  },
  ml2: { type_drivers: 'flat,vlan,vxlan,local', tenant_network_types: 'vxlan' },
  ml2_type_flat: { flat_networks: '*' },
  ml2_type_vlan: { network_vlan_ranges: 'physnet1:100:3999,physnet2:100:199' },
  ml2_type_vxlan: { vni_ranges: '1:10000' },
};

/** How a client logs in. */
export interface Credentials {
  readonly auth_url: string;
  readonly username: string;
  readonly password: string;
  readonly project_name: string;
}

/** A server that clients log in to, with an external network and agents. */
export interface Cloud {
  readonly url: string;
  /** Folder for the files of clients, removed with the cloud. */
  readonly folder: string;
  /** Of the administrator. */
  readonly credentials: Credentials;
  /** As OS_* variables, which all clients read. */
  readonly env: Readonly<Record<string, string>>;
  /** As the administrator. */
  readonly api: ApiClient;
  readonly externalNetwork: string;
  /** Everything that the server has logged. */
  readonly log: string;
  close(): Promise<void>;
}

/** Starts `neutrino up --no-agents` with `--auth lab`. */
export async function startLabCloud(): Promise<Cloud> {
  const folder = mkdtempSync(join(tmpdir(), 'neutrino-clients-'));
  const state = join(folder, 'state');
  const words = ['up', '--no-agents', '--auth', 'lab', '--bind-port', '0', '--state-path', state];
  const server = serverProgram(folder, words, SITE);
  try {
    await server.start();
    const url = await urlOf(server);
    const { clouds } = parse(readFileSync(join(state, 'clouds.yaml'), 'utf8')) as {
      readonly clouds: Readonly<Record<string, { readonly auth: Credentials }>>;
    };
    const credentials = clouds['neutrino-admin']?.auth;
    if (!credentials) throw new Error(`${state}/clouds.yaml has no cloud neutrino-admin`);
    return await furnished({ folder, state, server, url, credentials });
  } catch (error) {
    await server.shutDown();
    removeUnlessKept(folder);
    throw error;
  }
}

/** Creates the program of a server; all its quotas are Neutron's defaults. */
export function serverProgram(folder: string, words: readonly string[], options: Ini): Program {
  const files = writeConfigFiles(folder, { 'neutron.conf': options });
  return new Program({ name: 'neutrino', command: neutrinoCommand([...words, ...files]), folder });
}

export async function urlOf(server: Program): Promise<string> {
  return (await server.printed(/API +(http:\S+)/))[1] ?? '';
}

/** Adds agents and an external network to a server. */
export async function furnished({
  folder,
  state,
  server,
  url,
  credentials,
}: {
  readonly folder: string;
  readonly state: string;
  readonly server: Program;
  readonly url: string;
  readonly credentials: Credentials;
}): Promise<Cloud> {
  addAgents(join(state, 'neutrino.sqlite'));
  const api = new ApiClient(url, await tokenOf(credentials));
  return {
    url,
    folder,
    credentials,
    env: envOf(credentials),
    api,
    externalNetwork: await addExternalNetwork(api),
    get log() {
      return server.stderr;
    },
    async close() {
      await server.shutDown();
      removeUnlessKept(folder);
    },
  };
}

const envOf = ({ auth_url, username, password, project_name }: Credentials) => ({
  OS_AUTH_URL: auth_url,
  OS_USERNAME: username,
  OS_PASSWORD: password,
  OS_PROJECT_NAME: project_name,
  OS_USER_DOMAIN_NAME: 'Default',
  OS_PROJECT_DOMAIN_NAME: 'Default',
  OS_IDENTITY_API_VERSION: '3',
  OS_REGION_NAME: 'RegionOne',
});

/** Logs in, as the clients do; returns the token. */
async function tokenOf({ auth_url, username, password, project_name }: Credentials): Promise<string> {
  const domain = { name: 'Default' };
  const identity = { methods: ['password'], password: { user: { name: username, domain, password } } };
  const response = await fetch(`${auth_url}/auth/tokens`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ auth: { identity, scope: { project: { name: project_name, domain } } } }),
  });
  const token = response.headers.get('x-subject-token');
  if (!token) throw new Error(`no token from ${auth_url}: ${response.status} ${await response.text()}`);
  return token;
}

async function addExternalNetwork(api: ApiClient): Promise<string> {
  const { id } = await api.create('network', {
    name: 'public',
    'router:external': true,
    'provider:network_type': 'flat',
    'provider:physical_network': 'public',
  });
  const subnet = (ip_version: number, cidr: string, gateway_ip: string) =>
    api.create('subnet', { network_id: id, ip_version, cidr, gateway_ip, enable_dhcp: false });
  await subnet(4, '172.24.4.0/24', '172.24.4.1');
  await subnet(6, '2001:db8:f00d::/64', '2001:db8:f00d::1');
  return id;
}

const AGENTS = [
  { type: 'DHCP agent', binary: 'neutron-dhcp-agent', topic: 'dhcp_agent', zone: 'nova', configurations: {} },
  {
    type: 'L3 agent',
    binary: 'neutron-l3-agent',
    topic: 'l3_agent',
    zone: 'nova',
    configurations: { agent_mode: 'legacy', handle_internal_only_routers: true, extensions: ['port_forwarding'] },
  },
  {
    type: 'Linux bridge agent',
    binary: 'neutron-linuxbridge-agent',
    topic: 'N/A',
    zone: null,
    configurations: { interface_mappings: { physnet1: 'eth1' }, tunnel_types: ['vxlan'], tunneling_ip: '192.0.2.1' },
  },
] as const;

/** Adds the agents of two hosts, as if they had reported: the API of agents and schedulers needs them, and nothing else. */
function addAgents(database: string): void {
  const db = new DatabaseSync(database);
  const now = new Date().toISOString().slice(0, 19).replace('T', ' ');
  const row = db.prepare(`insert into agents (id, agent_type, "binary", topic, host, availability_zone, admin_state_up,
    created_at, started_at, heartbeat_timestamp, configurations, load) values (?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?, 0)`);
  for (const host of ['node1', 'node2'])
    for (const { type, binary, topic, zone, configurations } of AGENTS)
      row.run(randomUUID(), type, binary, topic, host, zone, now, now, now, JSON.stringify(configurations));
  db.close();
}
