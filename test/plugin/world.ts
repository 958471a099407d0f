import type { Config } from '../../src/config/options.ts';
import type { Trx } from '../../src/db/database.ts';
import { AddressAllocator } from '../../src/ipam/allocate.ts';
import { reportState } from '../../src/plugin/agents/report.ts';
import type { Document } from '../../src/plugin/module.ts';
import type { Service } from '../../src/plugin/service.ts';
import { ADMIN, openCore, type TestCore } from '../support/core.ts';
import { servicesOf } from '../support/services.ts';

export { ADMIN, configWith } from '../support/core.ts';

export type ConfigChanges = { readonly [S in keyof Config]?: Partial<Config[S]> };
type Made = Document & { readonly id: string };

/** The rules of a server with their own database, and functions that fill it. */
export interface World {
  readonly core: TestCore;
  readonly allocator: AddressAllocator;
  /** The service of any resource. */
  of(name: string): Service;
  transaction<T>(work: (trx: Trx) => Promise<T>): Promise<T>;
  network(values?: Document): Promise<string>;
  updateNetwork(id: string, changes: Document): Promise<Document>;
  deleteNetwork(id: string): Promise<void>;
  subnet(networkId: string, cidr: string, values?: Document): Promise<string>;
  port(networkId: string, values?: Document): Promise<Made>;
  updatePort(id: string, changes: Document): Promise<Document>;
  portOf(id: string): Promise<Document>;
  deletePort(id: string): Promise<void>;
  /** Reports as the DHCP agent of a host; returns its id. */
  dhcpAgent(host: string, state?: Document): Promise<string>;
  /** Reports as the L3 agent of a host; returns its id. */
  l3Agent(host: string, state?: Document): Promise<string>;
  /** Reports as the Linux bridge agent of a host; returns its id. */
  l2Agent(host: string, state?: Document): Promise<string>;
  /** Sets an agent's heartbeat back, so that it is considered dead. */
  kill(agentId: string): Promise<void>;
  /** Returns the outbox in order, and empties it. */
  outbox(): Promise<
    readonly {
      readonly method: string;
      readonly payload: Document;
      readonly ordering_key: string;
      readonly host: string | null;
    }[]
  >;
  close(): Promise<void>;
}

/** Returns the current time in the format of reports. */
export const reportTime = (): string => new Date().toISOString().replace('Z', '000');

export const dhcpState = (host: string): Document => ({
  binary: 'neutron-dhcp-agent',
  host,
  topic: 'dhcp_agent',
  agent_type: 'DHCP agent',
  availability_zone: 'nova',
  configurations: { dhcp_driver: 'neutron.agent.linux.dhcp.Dnsmasq', networks: 0, subnets: 0, ports: 0 },
});

const l3State = (host: string): Document => ({
  binary: 'neutron-l3-agent',
  host,
  topic: 'l3_agent',
  agent_type: 'L3 agent',
  availability_zone: 'nova',
  configurations: { agent_mode: 'legacy', handle_internal_only_routers: true, interface_driver: 'linuxbridge' },
});

export const l2State = (host: string): Document => ({
  binary: 'neutron-linuxbridge-agent',
  host,
  topic: 'N/A',
  agent_type: 'Linux bridge agent',
  configurations: { interface_mappings: {}, tunnel_types: ['vxlan'], tunneling_ip: '127.0.0.1' },
});

async function make(service: Service, values: Document): Promise<Made> {
  const [made] = await service.create(ADMIN, [values]);
  if (!made) throw new Error(`no ${service.resource.name} was made`);
  return { ...made, id: String(made.id) };
}

export async function createWorld(changes: ConfigChanges = {}): Promise<World> {
  const core = await openCore(changes);
  const { db } = core;
  const allocator = new AddressAllocator();
  const services = servicesOf(core, allocator);
  const [networks, subnets, ports] = [services.of('network'), services.of('subnet'), services.of('port')];
  const report = async (state: Document): Promise<string> => {
    await reportState(core, state, reportTime());
    const row = await db.kysely
      .selectFrom('agents')
      .select('id')
      .where('host', '=', String(state.host))
      .where('agent_type', '=', String(state.agent_type))
      .executeTakeFirstOrThrow();
    return row.id;
  };
  return {
    core,
    allocator,
    of: (name) => services.of(name),
    transaction: (work) => db.transaction(work),
    network: async (values = {}) => (await make(networks, { name: 'n', ...values })).id,
    updateNetwork: (id, given) => networks.update(ADMIN, id, given),
    deleteNetwork: (id) => networks.delete(ADMIN, id),
    subnet: async (network, cidr, values = {}) =>
      (await make(subnets, { network_id: network, cidr, ip_version: 4, ...values })).id,
    port: (network, values = {}) => make(ports, { network_id: network, ...values }),
    updatePort: (id, given) => ports.update(ADMIN, id, given),
    portOf: (id) => ports.show(ADMIN, id),
    deletePort: (id) => ports.delete(ADMIN, id),
    dhcpAgent: (host, state = {}) => report({ ...dhcpState(host), ...state }),
    l3Agent: (host, state = {}) => report({ ...l3State(host), ...state }),
    l2Agent: (host, state = {}) => report({ ...l2State(host), ...state }),
    async kill(agentId) {
      const longAgo = { heartbeat_timestamp: '2020-01-01 00:00:00' };
      await db.kysely.updateTable('agents').set(longAgo).where('id', '=', agentId).execute();
    },
    async outbox() {
      const rows = await db.kysely.selectFrom('outbox').selectAll().orderBy('id').execute();
      await db.kysely.deleteFrom('outbox').execute();
      return rows.map(({ method, ordering_key, host, payload }) => ({
        method,
        ordering_key,
        host,
        payload: JSON.parse(payload) as Document,
      }));
    },
    close: () => core.dispose(),
  };
}
