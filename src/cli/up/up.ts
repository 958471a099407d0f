import { type ConfigInputs, loadConfig } from '../../config/load.ts';
import type { Config } from '../../config/options.ts';
import type { Database } from '../../db/database.ts';
import { soleHostOfAgents } from '../../plugin/agents/sole-host.ts';
import { relabelDevices, renameHostInDatabase } from '../agents/rename.ts';
import { examineHost } from '../agents/requirements.ts';
import type { AgentKind } from '../compose/agent.ts';
import { isShared, startNeutrino } from '../compose/neutrino.ts';
import { placeFlags } from '../config/flags.ts';
import { CliFailure } from '../process/failure.ts';
import { closeWithin, startedInTime, stopSignal } from '../process/lifetime.ts';
import { stderrLogger } from '../process/log.ts';
import { beginRename, formerHost, keepHost } from '../state/host.ts';
import { lockRoles, SERVER_ROLE, type StateTaken } from '../state/lock.ts';
import { prepareStatePath } from '../state/path.ts';
import { banner } from './banner.ts';
import { upConfig } from './defaults.ts';

export interface UpOptions {
  readonly inputs: ConfigInputs;
  /** Whether to start the agents of this host (no `--no-agents`). */
  readonly agents: boolean;
  /** All agent kinds. */
  readonly kinds: readonly AgentKind[];
  /** Whether to rename the agents of the state path if the name of the host has changed. */
  readonly renameHost: boolean;
  readonly version: string;
}

/**
 * `neutrino up`: runs server and agents until SIGTERM or SIGINT, then stops them and leaves DHCP serving. A second signal
 * ends it at once. Throws CliFailure, ConfigError and listen errors, all for `explainFailure`.
 */
export async function runUp({ inputs, agents, kinds, renameHost, version }: UpOptions): Promise<void> {
  const loaded = loadConfig(inputs);
  const { warnings } = loaded;
  const config = upConfig(loaded);
  const place = placeFlags(inputs, loaded);
  const log = stderrLogger(config.DEFAULT);
  for (const warning of warnings) log.warn(warning);
  const { host, state_path: statePath } = config.DEFAULT;
  prepareStatePath(statePath);
  const found = agents ? await examineHost(kinds, config) : { unmet: [], warnings: [] };
  const obstacles = found.unmet;
  for (const warning of found.warnings) log.warn(warning);
  const running = agents && obstacles.length === 0 ? kinds : [];
  const lock = await lockRoles(statePath, [SERVER_ROLE, ...running.map(({ name }) => name)]);
  if ('holder' in lock) throw new CliFailure(whoHolds(statePath, place, lock));

  const stop = stopSignal();
  try {
    const how = (former: string) => `with --rename-host, which moves agents and ports from ${former} to ${host}`;
    const rename = (known?: string) => formerHost(statePath, host, renameHost, how, known);
    // Also before the database is opened, because waiting for it must not delay the refusal.
    if (running.length > 0) rename();
    const prepare = async (db: Database) => {
      const former = running.length > 0 ? rename(await unrecordedHost(db, config)) : undefined;
      if (former !== undefined) {
        beginRename(statePath, former, host);
        const moved = await renameHostInDatabase(db, config, former, host);
        await relabelDevices(running, config, former, log);
        log.info(moved, `host ${former} renamed to ${host}`);
      }
      if (running.length > 0) keepHost(statePath, host);
    };
    const abort = new AbortController();
    const starting = startNeutrino({ config, agents: running, log, prepare, stop: abort.signal });
    const parts = await Promise.race([starting, stop.then(() => undefined)]);
    if (parts) {
      lock.announce(parts.url, host);
      process.stdout.write(banner({ version, config, url: parts.url, agents, kinds, obstacles, place }));
      const signal = await stop;
      process.stderr.write(`neutrino: ${signal}: stopping; DHCP keeps serving the machines\n`);
    }
    abort.abort();
    const started = parts ?? (await startedInTime(starting, log));
    if (started) await closeWithin(started, log);
  } finally {
    lock.release();
  }
  // Everything has been closed or has exceeded its time limit.
  process.exit();
}

/**
 * Returns the host of a state path that an earlier version created without recording it: the only host with agents in the
 * database. Undefined if other hosts can use the database or the broker, because the agents may be theirs.
 */
async function unrecordedHost(db: Database, config: Config): Promise<string | undefined> {
  const isPrivate = config.DEFAULT.transport_url === '' && !isShared(config);
  return isPrivate ? await soleHostOfAgents(db) : undefined;
}

function whoHolds(statePath: string, place: string, { role, holder }: StateTaken): string {
  const state = holder?.url ? `, API at ${holder.url}` : role === SERVER_ROLE ? ', which is starting' : '';
  const who = holder ? `process ${holder.pid}${state}` : 'another process';
  const what = role === SERVER_ROLE ? 'a Neutrino' : `a ${role}`;
  return `${what} runs on state path ${statePath} already (${who}); stop it with bin/neutrino down${place}, or choose another with --state-path`;
}
