import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Config } from '../../config/options.ts';
import type { Database } from '../../db/database.ts';
import type { Running } from '../process/lifetime.ts';
import type { AgentKind, ComposedAgent } from './agent.ts';
import { startServer } from './server.ts';
import { openTransport } from './transport.ts';

export interface NeutrinoParts {
  readonly config: Config;
  /** The agents that run in the same process as the server. */
  readonly agents: readonly AgentKind[];
  readonly log: Logger;
  /** Runs on the database before anything is served. */
  readonly prepare?: (db: Database) => Promise<void>;
  /** Aborts a start that waits for the database. */
  readonly stop?: AbortSignal | undefined;
}

export interface RunningParts extends Running {
  /** Base URL of the API, with the actual port. */
  readonly url: string;
  /** Stops server and agents; DHCP servers, bridges and devices remain. */
  close(): Promise<void>;
}

/** How long a start waits for the agents' first reports, which take milliseconds in one process. */
const FIRST_REPORTS_MS = 5_000;

/** Composition root of `up`: builds and connects all components. Throws if one cannot start, and stops those that had started. */
export async function startNeutrino({ config, agents, log, prepare, stop }: NeutrinoParts): Promise<RunningParts> {
  const closing: Running[] = [];
  // In reverse order of their start: agents before the server that they report to, the transport last.
  const close = async () => {
    for (const part of closing.splice(0).reverse()) await part.close();
  };
  try {
    const transport = await openTransport(config, log, 'neutrino-up');
    closing.push(transport);
    const embedded = !isShared(config);
    const server = await startServer({ config, transport, log, embedded, prepare, stop });
    closing.push(server);
    const composed: ComposedAgent[] = [];
    for (const kind of agents) {
      const agent = await kind.start({ config, transport, log: log.child({ agent: kind.name }) });
      closing.push(agent);
      composed.push(agent);
    }
    // A port created as soon as the banner appears must find live agents, to be bound.
    const reported = Promise.all(composed.map((agent) => agent.reported));
    await Promise.race([reported, pause(FIRST_REPORTS_MS, undefined, { ref: false })]);
    return { url: server.url, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Returns whether several servers may share the database, that is, whether it is not SQLite. */
export const isShared = ({ database }: Pick<Config, 'database'>): boolean =>
  /^(mysql|mariadb)/i.test(database.connection);
