import type { FastifyBaseLogger } from 'fastify';
import type { Logger } from 'pino';
import { buildApi, type CallerOf } from '../../api/app.ts';
import { configuredPolicy } from '../../auth/configured-policy.ts';
import type { IdentityProvider } from '../../auth/contract.ts';
import { identityProvider } from '../../auth/providers.ts';
import type { Config } from '../../config/options.ts';
import type { Database } from '../../db/database.ts';
import { serveAgents } from '../../endpoints/serve.ts';
import { AddressAllocator } from '../../ipam/allocate.ts';
import { soleClaim } from '../../notifier/claim.ts';
import { startNovaSender } from '../../notifier/nova/sender.ts';
import { startNotificationSender } from '../../notifier/oslo/sender.ts';
import { startRelay } from '../../notifier/relay.ts';
import { sharedClaim } from '../../notifier/shared-claim.ts';
import { resourceMover } from '../../plugin/agents/move.ts';
import type { Core } from '../../plugin/core.ts';
import { areChangesNotified } from '../../plugin/notifications.ts';
import { isNovaNotified } from '../../plugin/nova-events.ts';
import { ConfiguredQuotas } from '../../plugin/quotas/limits.ts';
import { resourceModules, serveResources } from '../../plugin/resources.ts';
import type { RpcTransport } from '../../rpc/contract.ts';
import { startFailover } from '../../scheduler/failover.ts';
import { openConfigured, startOnSchema } from './database-start.ts';
import { keepTrying } from './keep-trying.ts';

export interface ServerOptions {
  readonly config: Config;
  readonly transport: RpcTransport;
  readonly log: Logger;
  /** Whether this process alone uses the database, and upgrades its schema; default: false. */
  readonly embedded?: boolean;
  /** Runs on the database once its schema is current, before anything is served. */
  readonly prepare?: ((db: Database) => Promise<void>) | undefined;
  /** Authenticates requests; default: the provider that `auth_strategy` names. */
  readonly identity?: IdentityProvider | undefined;
  /** Aborts a start that waits for the database. */
  readonly stop?: AbortSignal | undefined;
}

export interface RunningServer {
  /** Base URL of the API: `http://127.0.0.1:9696`. */
  readonly url: string;
  /** Accepts no more requests, completes those in progress, publishes committed events, closes the database. */
  close(): Promise<void>;
}

/**
 * Starts the server: database, rules, RPC endpoints, outbox relay, events for Nova and others, failover, API. Waits for an
 * unreachable database, but not for the broker: agents are served once it is reachable. A request is answered with 201 after its commit.
 * Throws if a component cannot start (the port is in use, the schema differs), and stops those that had started.
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { config, transport, log, embedded = false, prepare, stop } = options;
  const closing: (() => Promise<void>)[] = [];
  // In reverse order of their start: no new requests, then their events are published, the database last.
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
    const agents = keepTrying(
      { broken: 'agents cannot be served', restored: 'agents are served again' },
      () => serveAgents(core, allocator, transport),
      log,
    );
    closing.push(() => agents.close());
    const relay = startRelay({ core, allocator, transport, claim: embedded ? soleClaim(db.kysely) : sharedClaim(db) });
    closing.push(() => relay.close());
    if (isNovaNotified(config)) {
      const sender = startNovaSender({ core, alone: embedded });
      closing.push(() => sender.close());
    }
    if (areChangesNotified(config)) {
      const sender = await startNotificationSender(core, embedded);
      closing.push(() => sender.close());
    }
    const failover = startFailover({ db, config, log, move: resourceMover(core, allocator) });
    closing.push(() => failover.close());
    const quotas = new ConfiguredQuotas(core);
    const { services, policy } = serveResources(core, resourceModules(core, allocator, quotas), {
      policyOf: (declared) => configuredPolicy(declared, config, (message) => log.warn(message)),
      quotas,
    });
    const identity = options.identity ?? (await identityProvider({ config, db, log }));
    closing.push(async () => identity.close?.());
    const callerOf: CallerOf = async (headers, id) => policy.callerOf(await identity.identify(headers), id);
    const api = buildApi({
      ...{ config, log: log as FastifyBaseLogger, callerOf, services },
      routes: (app, requests) => identity.routes?.(app, requests),
    });
    closing.push(() => api.close());
    const url = await api.listen({ host: config.DEFAULT.bind_host, port: config.DEFAULT.bind_port });
    await identity.listening?.(url);
    return { url, close };
  } catch (error) {
    await close();
    throw error;
  }
}
