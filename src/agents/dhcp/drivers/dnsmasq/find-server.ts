import { endProcess } from '../../../../linux/processes.ts';
import { WaitTimeout, waitFor } from '../../../common/wait.ts';
import { findByArgument, findByPidFile, isRunning, type ServerProcess } from './server-process.ts';

/** Time that a dnsmasq without a pid file has to write it. */
const PID_FILE_TIMEOUT_MS = 2_000;

/**
 * Finds the dnsmasq of a network that an earlier agent left: by its pid file, or by its arguments when that agent was
 * killed between the start and the pid file. Two must never serve one network.
 */
export class ServerFinder {
  /** Processes by pid file as they were when first asked for; what was started since is known to the driver. */
  #leftovers: Promise<ReadonlyMap<string, readonly ServerProcess[]>> | undefined;

  /** Looks at all processes again next time: a start has failed, and nobody knows how far it came. */
  forget(): void {
    this.#leftovers = undefined;
  }

  async find(pidFile: string): Promise<ServerProcess | undefined> {
    const named = await findByPidFile(pidFile);
    if (named) return named;
    this.#leftovers ??= findByArgument();
    const leftovers = ((await this.#leftovers).get(pidFile) ?? []).filter(isRunning);
    if (leftovers.length === 0) return undefined;
    try {
      return await waitFor(`dnsmasq writing ${pidFile}`, () => findByPidFile(pidFile), PID_FILE_TIMEOUT_MS);
    } catch (error) {
      if (!(error instanceof WaitTimeout)) throw error;
    }
    for (const one of leftovers) if (isRunning(one)) await endProcess(one.pid);
    return undefined;
  }
}
