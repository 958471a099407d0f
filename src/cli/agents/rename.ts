import type { Logger } from 'pino';
import type { Config } from '../../config/options.ts';
import type { Database } from '../../db/database.ts';
import { ipBatch } from '../../linux/ip.ts';
import { listLinks } from '../../linux/links.ts';
import { HostNameTaken, type RenamedHost, renameHost } from '../../plugin/agents/rename-host.ts';
import type { AgentKind } from '../compose/agent.ts';
import { CliFailure } from '../process/failure.ts';

/** Renames a host in the database. Throws CliFailure when agents of the new name are alive. */
export async function renameHostInDatabase(
  db: Database,
  config: Config,
  from: string,
  to: string,
): Promise<RenamedHost> {
  try {
    return await renameHost({ db, config }, from, to);
  } catch (error) {
    if (error instanceof HostNameTaken) throw new CliFailure(`${from} cannot be renamed: ${error.message}`);
    throw error;
  }
}

/**
 * Replaces the former host name in the mark of every device that agents of this host created. The devices keep their names and
 * everything that is plugged into them.
 */
export async function relabelDevices(
  kinds: readonly Pick<AgentKind, 'deviceMark' | 'relabel'>[],
  config: Config,
  former: string,
  log: Logger,
): Promise<void> {
  const { host, state_path } = config.DEFAULT;
  const links = await listLinks();
  for (const { deviceMark, relabel } of kinds) {
    if (!deviceMark) continue;
    const mark = await deviceMark({ host: former, state_path }, config);
    const wanted = await deviceMark({ host, state_path }, config);
    const owned = links.filter(({ alias }) => alias?.includes(mark));
    await ipBatch(
      owned.map(({ name, alias = '' }) => ['link', 'set', 'dev', name, 'alias', alias.replace(mark, wanted)]),
    );
    const others = (await relabel?.(mark, wanted, config)) ?? [];
    const devices = [...new Set([...owned.map(({ name }) => name), ...others])];
    if (devices.length > 0) log.info({ devices }, `devices of host ${former} now belong to host ${host}`);
  }
}
