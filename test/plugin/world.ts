import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import type { Config } from '../../src/config/options.ts';
import { defaultConfig } from '../../src/config/options.ts';
import type { Trx } from '../../src/db/database.ts';
import { migrate } from '../../src/db/migrate.ts';
import { openSqlite } from '../../src/db/sqlite/open.ts';
import { AddressAllocator } from '../../src/ipam/allocate.ts';
import { reportState } from '../../src/plugin/agents/report.ts';
import type { Core, Document, RequestContext } from '../../src/plugin/core.ts';
import { networkRules } from '../../src/plugin/networks/rules.ts';
import { portRules } from '../../src/plugin/ports/rules.ts';
import { insertStandardAttributes, nowText } from '../../src/plugin/standard-attributes.ts';
import { NETWORK } from '../../src/resources/network.ts';
import { PORT } from '../../src/resources/port.ts';
import { validateCreate, validateUpdate } from '../../src/resources/validate.ts';

export const ADMIN: RequestContext = { projectId: 'p1', isAdmin: true, requestId: 'req-1' };

/** A server's insides on a database in memory, and short ways to fill it. */
export interface World {
  readonly core: Core;
  readonly allocator: AddressAllocator;
  transaction<T>(work: (trx: Trx) => Promise<T>): Promise<T>;
  network(values?: Document): Promise<string>;
  /** A subnet as a row: only what DHCP and addresses need. Gives its id. */
  subnet(
    networkId: string,
    cidr: string,
    values?: { enable_dhcp?: boolean; gateway_ip?: string | null },
  ): Promise<string>;
  port(networkId: string, values?: Document): Promise<Document & { readonly id: string }>;
  updatePort(id: string, changes: Document): Promise<Document>;
  portOf(id: string): Promise<Document>;
  /** Reports as a DHCP agent of this host; gives its id. */
  dhcpAgent(host: string, state?: Document): Promise<string>;
  l2Agent(host: string, state?: Document): Promise<string>;
  /** Sets an agent's heartbeat back, so that it counts as dead. */
  kill(agentId: string): Promise<void>;
  /** The outbox in order, then emptied. */
  outbox(): Promise<readonly { method: string; payload: Document; network_id: string }[]>;
  close(): Promise<void>;
}

export type ConfigChanges = { readonly [S in keyof Config]?: Partial<Config[S]> };

export function configWith(changes: ConfigChanges = {}): Config {
  const config = defaultConfig();
  return Object.fromEntries(
    Object.entries(config).map(([section, values]) => [section, { ...values, ...changes[section as keyof Config] }]),
  ) as Config;
}

export const REPORT_TIME = () => new Date().toISOString().replace('Z', '000');

export const dhcpState = (host: string): Document => ({
  binary: 'neutron-dhcp-agent',
  host,
  topic: 'dhcp_agent',
  agent_type: 'DHCP agent',
  availability_zone: 'nova',
  configurations: { dhcp_driver: 'neutron.agent.linux.dhcp.Dnsmasq', networks: 0, subnets: 0, ports: 0 },
});

export const l2State = (host: string): Document => ({
  binary: 'neutron-linuxbridge-agent',
  host,
  topic: 'N/A',
  agent_type: 'Linux bridge agent',
  configurations: { interface_mappings: {}, tunnel_types: ['vxlan'], tunneling_ip: '127.0.0.1' },
});

export async function createWorld(changes: ConfigChanges = {}): Promise<World> {
  const db = openSqlite({ path: ':memory:' });
  await migrate(db);
  const core: Core = { db, config: configWith(changes), log: pino({ level: 'silent' }) };
  const allocator = new AddressAllocator();
  const networks = networkRules(core);
  const ports = portRules(core, allocator);
  const report = async (state: Document): Promise<string> => {
    await reportState(core, state, REPORT_TIME());
    const { id } = await db.kysely
      .selectFrom('agents')
      .select('id')
      .where('host', '=', String(state.host))
      .where('agent_type', '=', String(state.agent_type))
      .executeTakeFirstOrThrow();
    return id;
  };
  return {
    core,
    allocator,
    transaction: (work) => db.transaction(work),
    async network(values = {}) {
      const made = await networks.create?.(ADMIN, [validateCreate(NETWORK, { name: 'n', ...values }, ADMIN.projectId)]);
      return String(made?.[0]?.id);
    },
    subnet: (networkId, cidr, values = {}) =>
      db.transaction(async (trx) => {
        const id = randomUUID();
        const attr = await insertStandardAttributes(trx, {
          resource_type: 'subnets',
          description: '',
          revision_number: 0,
          now: nowText(),
        });
        const base = cidr.replace(/\.\d+\/\d+$/, '');
        await trx
          .insertInto('subnets')
          .values({
            id,
            project_id: ADMIN.projectId,
            name: '',
            network_id: networkId,
            ip_version: 4,
            cidr,
            gateway_ip: values.gateway_ip === undefined ? `${base}.1` : values.gateway_ip,
            enable_dhcp: values.enable_dhcp === false ? 0 : 1,
            ipv6_ra_mode: null,
            ipv6_address_mode: null,
            subnetpool_id: null,
            segment_id: null,
            standard_attr_id: attr,
          })
          .execute();
        await trx
          .insertInto('ipallocationpools')
          .values({ id: randomUUID(), subnet_id: id, first_ip: `${base}.2`, last_ip: `${base}.254` })
          .execute();
        return id;
      }),
    async port(networkId, values = {}) {
      const given = validateCreate(PORT, { network_id: networkId, ...values }, ADMIN.projectId);
      const [made] = (await ports.create?.(ADMIN, [given])) ?? [];
      if (!made) throw new Error('no port was made');
      return { ...made, id: String(made.id) };
    },
    updatePort: async (id, changes) => (await ports.update?.(ADMIN, id, validateUpdate(PORT, changes))) ?? {},
    portOf: (id) => ports.show(ADMIN, id),
    dhcpAgent: (host, state = {}) => report({ ...dhcpState(host), ...state }),
    l2Agent: (host, state = {}) => report({ ...l2State(host), ...state }),
    async kill(agentId) {
      await db.kysely
        .updateTable('agents')
        .set({ heartbeat_timestamp: '2020-01-01 00:00:00' })
        .where('id', '=', agentId)
        .execute();
    },
    async outbox() {
      const rows = await db.kysely.selectFrom('outbox').selectAll().orderBy('id').execute();
      await db.kysely.deleteFrom('outbox').execute();
      return rows.map((row) => ({
        method: row.method,
        network_id: row.network_id,
        payload: JSON.parse(row.payload) as Document,
      }));
    },
    close: () => db.close(),
  };
}
