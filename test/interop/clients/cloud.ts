import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { parse } from 'yaml';
import { ApiClient } from '../../support/api-client.ts';
import { removeUnlessKept } from '../../support/folder.ts';
import { type Ini, mergeIni } from '../../support/ini.ts';
import { type Keystone, startKeystone } from '../../support/keystone.ts';
import { neutrinoCommand, writeConfigFiles } from '../../support/neutrino.ts';
import { Program } from '../../support/program.ts';

/** Options of the server: those of a site that serves what the clients' tests ask for. */
const SITE: Ini = {
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
interface Credentials {
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
  close(): Promise<void>;
}

/**
 * Starts `neutrino up --no-agents`; `login`: where clients log in, Neutrino's own Identity or Debian's Keystone; `more`: further
 * options of the server.
 */
export async function startCloud(login: 'lab' | 'keystone' = 'lab', more: Ini = {}): Promise<Cloud> {
  const ends = new AsyncDisposableStack();
  try {
    const folder = mkdtempSync(join(tmpdir(), 'neutrino-clients-'));
    ends.defer(() => removeUnlessKept(folder));
    const state = join(folder, 'state');
    const keystone = login === 'keystone' ? await startKeystone() : undefined;
    if (keystone) ends.defer(() => keystone.dispose());
    const identity = keystone ? await keystoneOptions(keystone) : { DEFAULT: { auth_strategy: 'lab' } };
    const options = mergeIni(SITE, identity, more);
    const words = ['up', '--no-agents', '--bind-port', '0', '--state-path', state];
    const files = writeConfigFiles(folder, { 'neutron.conf': options });
    const server = new Program({ name: 'neutrino', command: neutrinoCommand([...words, ...files]), folder });
    ends.defer(() => server.shutDown());
    await server.start();
    const [, url = ''] = await server.printed(/API +(http:\S+)/);
    if (keystone) await addToCatalogue(keystone, url);
    const credentials = keystone ? adminOf(keystone) : labAdmin(state);
    addAgents(join(state, 'neutrino.sqlite'));
    const api = new ApiClient(url, await tokenOf(credentials));
    const externalNetwork = await addExternalNetwork(api);
    return {
      url,
      folder,
      credentials,
      env: envOf(credentials),
      api,
      externalNetwork,
      close: () => ends.disposeAsync(),
    };
  } catch (error) {
    await ends.disposeAsync();
    throw error;
  }
}

/** Returns the administrator that a server with `auth_strategy = lab` has created. */
function labAdmin(state: string): Credentials {
  const { clouds } = parse(readFileSync(join(state, 'clouds.yaml'), 'utf8')) as {
    readonly clouds: Readonly<Record<string, { readonly auth: Credentials }>>;
  };
  const credentials = clouds['neutrino-admin']?.auth;
  if (!credentials) throw new Error(`${state}/clouds.yaml has no cloud neutrino-admin`);
  return credentials;
}

const adminOf = ({ url, adminPassword }: Keystone): Credentials => ({
  auth_url: url,
  username: 'admin',
  password: adminPassword,
  project_name: 'admin',
});

/** Creates the accounts that a server needs in Keystone; returns its options. */
async function keystoneOptions({ url, accounts }: Keystone): Promise<Ini> {
  await accounts.account('demo');
  const { user, password, project } = await accounts.account('service', ['service'], 'neutron');
  return {
    DEFAULT: { auth_strategy: 'keystone' },
    keystone_authtoken: { auth_url: url, username: user, password, project_name: project },
  };
}

async function addToCatalogue({ accounts, region }: Keystone, url: string): Promise<void> {
  const { service } = await accounts.admin('POST', 'services', { service: { type: 'network', name: 'neutron' } });
  const { id: service_id } = service as { readonly id: string };
  for (const kind of ['public', 'internal', 'admin'])
    await accounts.admin('POST', 'endpoints', { endpoint: { service_id, interface: kind, url, region_id: region } });
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
