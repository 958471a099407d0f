import type { FastifyBaseLogger } from 'fastify';
import type { Logger } from 'pino';
import { buildApi } from '../../api/app.ts';
import { Policy } from '../../auth/policy.ts';
import { identityProvider } from '../../auth/providers.ts';
import type { Config } from '../../config/options.ts';
import type { Database } from '../../db/database.ts';
import { serveAgents } from '../../endpoints/serve.ts';
import { AddressAllocator } from '../../ipam/allocate.ts';
import { soleClaim } from '../../notifier/claim.ts';
import { startRelay } from '../../notifier/relay.ts';
import { sharedClaim } from '../../notifier/shared-claim.ts';
import { resourceMover } from '../../plugin/agents/move.ts';
import type { Core } from '../../plugin/core.ts';
import { UNLIMITED } from '../../plugin/quota.ts';
import { resourceModules, serveResources } from '../../plugin/resources.ts';
import type { RpcTransport } from '../../rpc/contract.ts';
import { startFailover } from '../../scheduler/failover.ts';
import { openConfigured, startOnSchema } from './database-start.ts';
import { keepTrying } from './keep-trying.ts';

export interface ServerOptions {
  readonly config: Config;
  readonly transport: RpcTransport;
  readonly log: Logger;
  /** Whether the database belongs to this process alone, which then upgrades its schema; default: false. */
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
    const db = openConfigured(config);
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
      identity: identityProvider(config),
      services: serveResources(core, resourceModules(core, allocator), {
        policyOf: (declared) => new Policy(declared),
        quotas: UNLIMITED,
      }),
    });
    closing.push(() => api.close());
    const url = await api.listen({ host: config.DEFAULT.bind_host, port: config.DEFAULT.bind_port });
    return { url, close };
  } catch (error) {
    await close();
    throw error;
  }
}
