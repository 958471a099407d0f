import { DatabaseSync } from 'node:sqlite';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { expect } from 'vitest';
import { AddressAllocator } from '../../src/ipam/allocate.ts';
import { reportState } from '../../src/plugin/agents/report.ts';
import type { Resource } from '../../src/resources/attribute.ts';
import { ERRORS } from '../../src/resources/errors.ts';
import { openCore, type TestCore } from '../support/core.ts';
import { apiOf, servicesOf } from '../support/services.ts';

interface Reply {
  readonly status: number;
  readonly body: string;
}

export interface HostileWorld {
  readonly app: FastifyInstance;
  readonly core: TestCore;
  readonly resources: readonly Resource[];
  /** The id of one resource of each kind, by plural. */
  readonly ids: Readonly<Record<string, string>>;
  /** Sends JSON and checks what must hold for every request. */
  send(
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    url: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Reply>;
  /** Like `send`, with the text of the body. */
  sendRaw(method: 'GET' | 'POST' | 'PUT' | 'DELETE', url: string, body: string | Buffer): Promise<Reply>;
  close(): Promise<void>;
}

/** Status codes for exhausted resources, not for invalid input. */
const FULL = new Set(['NoNetworkAvailable', 'MacAddressGenerationFailure']);

/** Every error must have a body in Neutron's format, and never be 5xx. */
function expectToldError(status: number, body: string, sent: string): void {
  const json = JSON.parse(body) as Record<string, unknown>;
  const error = json.NeutronError as Record<string, unknown> | undefined;
  if (status >= 500 && !FULL.has(String(error?.type))) throw new Error(`${status} to ${sent}: ${body}`);
  if (!error) {
    expect(Object.keys(json).sort(), sent).toEqual(expect.arrayContaining(['code', 'title']));
    return;
  }
  expect(Object.keys(error).sort(), sent).toEqual(['detail', 'message', 'type']);
  expect(Object.keys(ERRORS), sent).toContain(error.type);
  expect(typeof error.message, sent).toBe('string');
  expect(String(error.message).length, sent).toBeLessThan(10_000);
}

const AGENT_STATE = {
  binary: 'neutron-dhcp-agent',
  host: 'host-of-agent',
  topic: 'dhcp_agent',
  agent_type: 'DHCP agent',
  availability_zone: 'nova',
  configurations: { networks: 0, subnets: 0, ports: 0 },
};

/** The API with its own database, which contains a network, subnets and a port. */
export async function hostileWorld(overrides: Parameters<typeof openCore>[0] = {}): Promise<HostileWorld> {
  const core = await openCore({ ...overrides, ml2_type_vlan: { network_vlan_ranges: ['physnet1:100:199'] } });
  const allocator = new AddressAllocator();
  const services = servicesOf(core, allocator);
  const failures: string[] = [];
  const log = pino({ level: 'error' }, { write: (line: string) => void failures.push(line) });
  const app = apiOf(core, services, log);
  await app.ready();
  // Another connection sees a new data_version after each commit. (MariaDB has no equivalent: there, only responses are
  // checked.)
  const file = /^sqlite:\/\/\/(.*)$/.exec(core.connection)?.[1];
  const watcher = file === undefined ? undefined : new DatabaseSync(file);
  const version = () => Object.values(watcher?.prepare('pragma data_version').get() ?? {})[0];

  const exchange = async (
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    url: string,
    payload: string | Buffer | undefined,
    headers: Record<string, string>,
  ): Promise<Reply> => {
    const before = version();
    const answer = await app.inject({ method, url, headers, ...(payload === undefined ? {} : { payload }) });
    const reply = { status: answer.statusCode, body: answer.body };
    const sent = `${method} ${url.slice(0, 300)} ${String(payload ?? '').slice(0, 600)}`;
    if (reply.status >= 400) {
      if (failures.length > 0) throw new Error(`${sent}: ${failures.splice(0).join('')}`);
      expectToldError(reply.status, reply.body, sent);
      expect(version(), `changed by a refused ${sent}`).toBe(before);
    }
    if (watcher && method === 'POST' && reply.status === 201) expect(version(), `not seen: ${sent}`).not.toBe(before);
    if (method === 'GET') expect(version(), `changed by ${sent}`).toBe(before);
    return reply;
  };
  const send: HostileWorld['send'] = (method, url, body, headers = {}) =>
    exchange(method, url, body === undefined ? undefined : JSON.stringify(body), {
      'content-type': 'application/json',
      ...headers,
    });

  const make = async (plural: string, name: string, values: object): Promise<string> => {
    const { status, body } = await send('POST', `/v2.0/${plural}`, { [name]: values });
    expect(status, body).toBe(201);
    return ((JSON.parse(body) as Record<string, { id: string }>)[name] as { id: string }).id;
  };
  const network = await make('networks', 'network', { name: 'hostile' });
  const subnet = await make('subnets', 'subnet', { network_id: network, ip_version: 4, cidr: '10.9.0.0/24' });
  await make('subnets', 'subnet', {
    network_id: network,
    ip_version: 6,
    cidr: 'fd09::/64',
    ipv6_address_mode: 'slaac',
  });
  const port = await make('ports', 'port', { network_id: network });
  const scope = await make('address-scopes', 'address_scope', { name: 'hostile', ip_version: 4 });
  const group = await make('security-groups', 'security_group', { name: 'hostile' });
  const matching = { direction: 'ingress', protocol: 'tcp', port_range_min: 1, port_range_max: 1 };
  const rule = await make('security-group-rules', 'security_group_rule', { security_group_id: group, ...matching });
  const addresses = await make('address-groups', 'address_group', { addresses: ['10.0.0.0/8'] });
  const starting = await make('default-security-group-rules', 'default_security_group_rule', matching);
  await reportState(core, AGENT_STATE, new Date().toISOString().replace('Z', '000'));
  const agent = await core.db.kysely.selectFrom('agents').select('id').executeTakeFirstOrThrow();
  return {
    app,
    core,
    resources: services.all.map(({ resource }) => resource),
    ids: {
      networks: network,
      subnets: subnet,
      ports: port,
      network_ip_availabilities: network,
      agents: agent.id,
      address_scopes: scope,
      security_groups: group,
      security_group_rules: rule,
      address_groups: addresses,
      default_security_group_rules: starting,
    },
    send,
    sendRaw: (method, url, body) => exchange(method, url, body, { 'content-type': 'application/json' }),
    async close() {
      watcher?.close();
      await app.close();
      await core.dispose();
    },
  };
}

/** Returns a valid body, in which one value can be replaced. */
export function acceptable(
  plural: string,
  ids: Readonly<Record<string, string>>,
  nth: number,
): Record<string, unknown> {
  if (plural === 'subnets')
    return { network_id: ids.networks, ip_version: 4, cidr: `10.${100 + (nth % 100)}.${nth % 250}.0/24` };
  if (plural === 'ports') return { network_id: ids.networks };
  if (plural === 'address_scopes') return { ip_version: 4 };
  if (plural === 'security_group_rules' || plural === 'default_security_group_rules') {
    const own = plural === 'security_group_rules' ? { security_group_id: ids.security_groups } : {};
    return { ...own, direction: 'ingress', protocol: 'udp', port_range_min: nth + 1, port_range_max: nth + 1 };
  }
  return {};
}
