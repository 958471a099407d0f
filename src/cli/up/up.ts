import { type ConfigInputs, loadConfig } from '../../config/load.ts';
import type { Config } from '../../config/options.ts';
import type { Database } from '../../db/database.ts';
import { soleHostOfAgents } from '../../plugin/agents/sole-host.ts';
import { relabelDevices, renameHostInDatabase } from '../agents/rename.ts';
import { unmetRequirements } from '../agents/requirements.ts';
import type { AgentKind } from '../compose/agent.ts';
import { isShared, startNeutrino } from '../compose/neutrino.ts';
import { placeFlags } from '../config/flags.ts';
import { CliFailure } from '../process/failure.ts';
import { closeWithin, startedInTime, stopSignal } from '../process/lifetime.ts';
import { stderrLogger } from '../process/log.ts';
import { beginRename, formerHost, keepHost } from '../state/host.ts';
import { lockRoles, SERVER_ROLE, type StateTaken } from '../state/lock.ts';
import { prepareStatePath } from '../state/path.ts';

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
  const { config, warnings } = loaded;
  const place = placeFlags(inputs, loaded);
  const log = stderrLogger(config.DEFAULT);
  for (const warning of warnings) log.warn(warning);
  const { host, state_path: statePath } = config.DEFAULT;
  prepareStatePath(statePath);
  const obstacles = agents ? await unmetRequirements(kinds, config) : [];
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

interface BannerFacts {
  readonly version: string;
  readonly config: Config;
  readonly url: string;
  readonly agents: boolean;
  readonly kinds: readonly Pick<AgentKind, 'title'>[];
  readonly obstacles: readonly string[];
  /** Flags with which other commands find this state path, preceded by a space. */
  readonly place: string;
}

/** Returns the banner of `up`: the API's URL, the agents, or why they do not run, and commands to try next. */
export function banner({ version, config, url, agents, kinds, obstacles, place }: BannerFacts): string {
  const { host, state_path: statePath } = config.DEFAULT;
  const running = agents && obstacles.length === 0;
  const agentLines = running
    ? [`${new Intl.ListFormat('en').format(kinds.map(({ title }) => title))} of host ${host}`]
    : agents
      ? ['none, only the API runs: ports are created, but machines get no response to DHCP.', ...obstacles]
      : ['none (--no-agents)'];
  const json = "-H 'Content-Type: application/json'";
  return [
    `Neutrino ${version} is up.`,
    '',
    `  API      ${url}   (no authentication: every request has administrator rights)`,
    `           ${url}/openapi.json describes it`,
    `  State    ${statePath}`,
    ...agentLines.map((line, index) => `  ${index === 0 ? 'Agents   ' : '         '}${line}`),
    '',
    'Try next, in another terminal:',
    '',
    `  curl -s ${url}/v2.0/networks ${json} -d '{"network": {"name": "net1"}}'`,
    `  curl -s ${url}/v2.0/subnets ${json} -d '{"subnet": {"network_id": "ID", "ip_version": 4, "cidr": "10.0.0.0/24"}}'`,
    `  curl -s ${url}/v2.0/ports ${json} -d '{"port": {"network_id": "ID"}}'`,
    ...(running
      ? [`  bin/neutrino vm boot vm1 --network net1${place}     a machine that gets its address by DHCP`]
      : []),
    '',
    running
      ? `Ctrl-C stops Neutrino; DHCP keeps working. bin/neutrino down${place} also removes what it created on this host.`
      : 'Ctrl-C stops Neutrino.',
    '',
    '',
  ].join('\n');
}
