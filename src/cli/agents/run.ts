import { type ConfigInputs, loadConfig } from '../../config/load.ts';
import type { AgentKind } from '../compose/agent.ts';
import { openTransport, requireTransportUrl } from '../compose/transport.ts';
import { CliFailure } from '../process/failure.ts';
import { runService, stopSignal } from '../process/lifetime.ts';
import { stderrLogger } from '../process/log.ts';
import { beginRename, formerHost, keepHost } from '../state/host.ts';
import { lockRoles, type StateLock } from '../state/lock.ts';
import { prepareStatePath } from '../state/path.ts';
import { relabelDevices } from './rename.ts';
import { examineHost } from './requirements.ts';

/** Runs an agent of one of these kinds until SIGTERM or SIGINT. Throws CliFailure and ConfigError. */
export async function runAgent(
  kind: AgentKind,
  kinds: readonly AgentKind[],
  inputs: ConfigInputs,
  renameHost: boolean,
): Promise<void> {
  const { name, remains } = kind;
  const { config, warnings } = loadConfig(inputs);
  const log = stderrLogger(config.DEFAULT);
  requireTransportUrl(config, `neutrino ${name}`);
  for (const warning of warnings) log.warn(warning);
  const { unmet, warnings: doubts } = await examineHost([kind], config);
  if (unmet.length > 0) throw new CliFailure(`${name} cannot run here: ${unmet.join('; ')}`);
  for (const doubt of doubts) log.warn(doubt);
  const { host, state_path: statePath } = config.DEFAULT;
  prepareStatePath(statePath);
  const how = (former: string) =>
    `run "neutrino db rename-host ${former} ${host}" for the server's database, then start it with --rename-host`;
  const former = formerHost(statePath, host, renameHost, how);
  if (former !== undefined) {
    // No agent of this state path may run, because it would keep the former name.
    const all = await lockAgents(
      statePath,
      kinds.map((one) => one.name),
    );
    try {
      beginRename(statePath, former, host);
      await relabelDevices(kinds, config, former, log);
      keepHost(statePath, host);
    } finally {
      all.release();
    }
  }
  const lock = await lockAgents(statePath, [name]);
  keepHost(statePath, host);
  const stopped = stopSignal().then((signal) => `${signal}; ${remains}`);
  try {
    await runService({
      log,
      stopped,
      async start(stop) {
        const transport = await openTransport(config, log, `neutrino-${name}`);
        // Ends the agent's wait for the broker when the process is stopped meanwhile.
        stop.addEventListener('abort', () => void transport.close());
        const agent = await kind.start({ config, transport, log }).catch(async (error: unknown) => {
          await transport.close();
          throw error;
        });
        const close = async () => {
          await agent.close();
          await transport.close();
        };
        return { ready: `${name} of host ${host}`, close };
      },
    });
  } finally {
    lock.release();
  }
  process.exit();
}

/** Locks a state path for agents. Throws CliFailure when one of them runs on it. */
async function lockAgents(statePath: string, names: readonly string[]): Promise<StateLock> {
  const lock = await lockRoles(statePath, names);
  if (!('holder' in lock)) return lock;
  throw new CliFailure(
    `a ${lock.role} runs on state path ${statePath} already (process ${lock.holder?.pid ?? 'unknown'}); stop it, or choose ` +
      'another with --state-path',
  );
}
