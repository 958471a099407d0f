import { endProcess, showProcess } from '../../../../linux/processes.ts';
import { WaitTimeout, waitFor } from '../../../../time/wait.ts';
import { HAND_OVER_TIMEOUT_MS, isHandOver } from './hand-over.ts';
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
    this.#leftovers ??= findByArgument();
    const leftovers = ((await this.#leftovers).get(pidFile) ?? []).filter(isRunning);
    // The one that runs is about to be ended by it.
    for (const one of leftovers) if (isHandOver(one)) await handedOver(one);
    const named = await findByPidFile(pidFile);
    if (named || leftovers.length === 0) return named;
    try {
      return await waitFor(`dnsmasq writing ${pidFile}`, () => findByPidFile(pidFile), PID_FILE_TIMEOUT_MS);
    } catch (error) {
      if (!(error instanceof WaitTimeout)) throw error;
    }
    for (const one of leftovers) if (isRunning(one)) await endProcess(one.pid);
    return undefined;
  }
}

/** Waits until a hand-over that a killed agent left has become the next dnsmasq, or has ended. */
async function handedOver({ pid, startTime }: ServerProcess): Promise<void> {
  await waitFor(
    `process ${pid} ending a dnsmasq for the next one`,
    async () => {
      const now = await showProcess(pid);
      return now?.startTime !== startTime || !isHandOver(now);
    },
    HAND_OVER_TIMEOUT_MS,
  );
}
