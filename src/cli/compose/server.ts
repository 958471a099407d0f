import type { FastifyBaseLogger } from 'fastify';
import type { Logger } from 'pino';
import { type ApiOptions, buildApi } from '../../api/app.ts';
import { noauth } from '../../api/context.ts';
import { dhcpSchedulerRoutes } from '../../api/routes/dhcp-scheduler.ts';
import type { ServedResource } from '../../api/routes/resource.ts';
import { tagRoutes } from '../../api/routes/tags.ts';
import type { Config } from '../../config/options.ts';
import type { Database } from '../../db/database.ts';
import { openDatabase } from '../../db/open.ts';
import { AddressAllocator } from '../../ipam/allocate.ts';
import { soleClaim } from '../../notifier/claim.ts';
import { startRelay } from '../../notifier/relay.ts';
import { sharedClaim } from '../../notifier/shared-claim.ts';
import { AVAILABILITY_ZONE_LIST, availabilityZoneRules } from '../../plugin/agents/availability-zones.ts';
import { dhcpNetworkRules } from '../../plugin/agents/dhcp-networks.ts';
import { agentList } from '../../plugin/agents/documents.ts';
import { resourceMover } from '../../plugin/agents/move.ts';
import { agentRules } from '../../plugin/agents/rules.ts';
import type { Core } from '../../plugin/core.ts';
import { serveAgents } from '../../plugin/endpoints/serve.ts';
import { NETWORK_LIST } from '../../plugin/networks/documents.ts';
import { IP_AVAILABILITY_LIST, ipAvailabilityRules } from '../../plugin/networks/ip-availability.ts';
import { networkRules } from '../../plugin/networks/rules.ts';
import { visibleNetworks } from '../../plugin/networks/visible.ts';
import { PORT_LIST, visiblePorts } from '../../plugin/ports/documents.ts';
import { portRules } from '../../plugin/ports/rules.ts';
import { SUBNET_LIST } from '../../plugin/subnets/documents.ts';
import { subnetRules } from '../../plugin/subnets/rules.ts';
import { visibleSubnets } from '../../plugin/subnets/visible.ts';
import { type TaggedResource, tagRules } from '../../plugin/tags.ts';
import { AGENT } from '../../resources/agent.ts';
import { AVAILABILITY_ZONE } from '../../resources/availability-zone.ts';
import { NETWORK } from '../../resources/network.ts';
import { NETWORK_IP_AVAILABILITY } from '../../resources/network-ip-availability.ts';
import { PORT } from '../../resources/port.ts';
import { SUBNET } from '../../resources/subnet.ts';
import type { RpcTransport } from '../../rpc/contract.ts';
import { startFailover } from '../../scheduler/failover.ts';
import { startOnSchema } from './database-start.ts';
import { keepTrying } from './keep-trying.ts';

export interface ServerOptions {
  readonly config: Config;
  readonly transport: RpcTransport;
  readonly log: Logger;
  /** Whether the database is this process's own, whose schema it brings up to date by itself; not unless told. */
  readonly embedded?: boolean;
  /** Runs on the database when its schema is current, before anything is served. */
  readonly prepare?: ((db: Database) => Promise<void>) | undefined;
  /** Ends a start that waits for the database. */
  readonly stop?: AbortSignal | undefined;
}

export interface RunningServer {
  /** Where the API is: `http://127.0.0.1:9696`. */
  readonly url: string;
  /** Stops taking requests, lets those under way end, publishes what is committed, closes the database. */
  close(): Promise<void>;
}

/** The resources that the API serves, with their rules. */
export function servedResources(core: Core, allocator: AddressAllocator): readonly ServedResource[] {
  return [
    { resource: NETWORK, rules: networkRules(core), conditions: NETWORK_LIST.conditions },
    { resource: SUBNET, rules: subnetRules(core), conditions: SUBNET_LIST.conditions },
    { resource: PORT, rules: portRules(core, allocator), conditions: PORT_LIST.conditions },
    {
      resource: NETWORK_IP_AVAILABILITY,
      rules: ipAvailabilityRules(core),
      conditions: IP_AVAILABILITY_LIST.conditions,
    },
    { resource: AGENT, rules: agentRules(core, allocator), conditions: agentList(core.config).conditions },
    {
      resource: AVAILABILITY_ZONE,
      rules: availabilityZoneRules(core),
      conditions: AVAILABILITY_ZONE_LIST.conditions,
    },
  ];
}

const TAGGED: readonly TaggedResource[] = [
  { resource: NETWORK, table: NETWORK_LIST.table, visible: visibleNetworks },
  { resource: SUBNET, table: SUBNET_LIST.table, visible: visibleSubnets },
  { resource: PORT, table: PORT_LIST.table, visible: visiblePorts },
];

/** The routes beside those of resources. */
export function furtherRoutes(core: Core, allocator: AddressAllocator): NonNullable<ApiOptions['routes']> {
  const dhcpNetworks = dhcpNetworkRules(core, allocator);
  return [
    (app, contextOf) => dhcpSchedulerRoutes(app, dhcpNetworks, contextOf),
    (app, contextOf) => {
      for (const tagged of TAGGED) tagRoutes(app, tagged.resource, tagRules(core, tagged), contextOf);
    },
  ];
}

/**
 * Starts the server: database, rules, what agents ask for, the relay of what they are told, API. Waits for a database that is not
 * there; not for a broker: agents are served as soon as there is one. The 201 of a request goes out after its commit.
 * Throws when something cannot start (the port is taken, the schema is another one); what had started is stopped.
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { config, transport, log, embedded = false, prepare, stop } = options;
  const closing: (() => Promise<void>)[] = [];
  // In the opposite order of their start: no new requests, then what they committed is told, the database last.
  const close = async () => {
    for (const end of closing.splice(0).reverse()) await end();
  };
  try {
    const db = openDatabase(config);
    closing.push(() => db.close());
    await startOnSchema(db, embedded, { log, stop });
    await prepare?.(db);
    const core: Core = { db, config, log };
    const allocator = new AddressAllocator();
    const agents = keepTrying('agents cannot be served', () => serveAgents(core, allocator, transport), log);
    closing.push(() => agents.close());
    const relay = startRelay({ core, transport, claim: embedded ? soleClaim(db.kysely) : sharedClaim(db) });
    closing.push(() => relay.close());
    const failover = startFailover({ db, config, log, move: resourceMover(core, allocator) });
    closing.push(() => failover.close());
    const api = buildApi({
      config,
      log: log as FastifyBaseLogger,
      identity: noauth,
      resources: servedResources(core, allocator),
      routes: furtherRoutes(core, allocator),
    });
    closing.push(() => api.close());
    const url = await api.listen({ host: config.DEFAULT.bind_host, port: config.DEFAULT.bind_port });
    return { url, close };
  } catch (error) {
    await close();
    throw error;
  }
}
