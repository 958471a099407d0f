import cluster from 'node:cluster';
import type { Logger } from 'pino';
import { identityProvider } from '../../auth/providers.ts';
import { type ConfigInputs, loadConfig } from '../../config/load.ts';
import type { Config } from '../../config/options.ts';
import { openConfigured, startOnSchema } from '../compose/database-start.ts';
import { isShared } from '../compose/neutrino.ts';
import { startServer } from '../compose/server.ts';
import { openTransport, requireTransportUrl } from '../compose/transport.ts';
import { CliFailure } from '../process/failure.ts';
import { type Running, runService, stopSignal } from '../process/lifetime.ts';
import { stderrLogger } from '../process/log.ts';
import { lockRoles, SERVER_ROLE, type StateLock } from '../state/lock.ts';
import { prepareStatePath } from '../state/path.ts';
import { startWorkers, workerStopped } from './workers.ts';

/**
 * `neutrino server`: serves the API and RPC until SIGTERM or SIGINT. Several can share one database.
 * Throws CliFailure, ConfigError and errors of listening.
 */
export async function runServer(inputs: ConfigInputs): Promise<void> {
  const { config, warnings } = loadConfig(inputs);
  const log = stderrLogger(config.DEFAULT);
  requireTransportUrl(config, 'neutrino server');
  if (cluster.isWorker) {
    const ownLog = log.child({ worker: cluster.worker?.id });
    await runService({ log: ownLog, stopped: workerStopped(), start: startAlone(config, ownLog) });
    process.exit();
  }
  for (const warning of warnings) log.warn(warning);
  const stopped = stopSignal();
  const workers = workersOf(config, log);
  if (workers === 1) await runService({ log, stopped, start: startAlone(config, log) });
  else await runService({ log, stopped, start: startMany(config, log, workers) });
  process.exit();
}

function workersOf(config: Config, log: Logger): number {
  const wanted = Math.max(1, config.DEFAULT.api_workers);
  if (wanted === 1 || isShared(config)) return wanted;
  log.warn(
    `[DEFAULT] api_workers = ${wanted}: SQLite is for one process, so there is one worker; more need MariaDB or MySQL ` +
      'in [database] connection',
  );
  return 1;
}

type Start = Parameters<typeof runService>[0]['start'];

const startAlone =
  (config: Config, log: Logger): Start =>
  async (stop) => {
    const closing: Running[] = [];
    const close = async () => {
      for (const part of closing.splice(0).reverse()) await part.close();
    };
    try {
      // Its users are in a file there.
      if (config.DEFAULT.auth_strategy === 'lab') prepareStatePath(config.DEFAULT.state_path);
      const lock = isShared(config) ? undefined : await lockSqlite(config);
      if (lock) closing.push({ close: async () => lock.release() });
      const transport = await openTransport(config, log, 'neutrino-server');
      closing.push(transport);
      const server = await startServer({ config, transport, log, stop });
      closing.push(server);
      lock?.announce(server.url, config.DEFAULT.host);
      return { ready: `API at ${server.url}`, close };
    } catch (error) {
      await close();
      throw error;
    }
  };

/** Only one server, or `up`, may use the SQLite database of a state path. */
async function lockSqlite(config: Config): Promise<StateLock> {
  const { state_path: statePath } = config.DEFAULT;
  prepareStatePath(statePath);
  const lock = await lockRoles(statePath, [SERVER_ROLE]);
  if (!('holder' in lock)) return lock;
  throw new CliFailure(
    `a Neutrino runs on state path ${statePath} already (process ${lock.holder?.pid ?? 'unknown'}); several servers need ` +
      'MariaDB or MySQL in [database] connection',
  );
}

const startMany =
  (config: Config, log: Logger, count: number): Start =>
  async (stop) => {
    // Once for all workers, because each would log the same.
    const db = openConfigured(config);
    try {
      await startOnSchema(db, false, { log, stop });
      if (config.DEFAULT.auth_strategy === 'lab') {
        prepareStatePath(config.DEFAULT.state_path);
        // Takes over identity.yaml, which the workers then find unchanged.
        await identityProvider({ config, db, log });
      }
    } finally {
      await db.close();
    }
    const workers = await startWorkers(count, log, stop);
    return { ...workers, ready: `API at ${workers.url}`, facts: { workers: count } };
  };
