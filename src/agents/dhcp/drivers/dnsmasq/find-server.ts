import { endProcess, isRunning, showProcess } from '../../../../linux/processes.ts';
import { WaitTimeout, waitFor } from '../../../../time/wait.ts';
import { HAND_OVER_TIMEOUT_MS, isHandOver } from './hand-over.ts';
import { findByArgument, findByPidFile, type ServerProcess } from './server-process.ts';

/** Time allowed for a dnsmasq to write its pid file. */
const PID_FILE_TIMEOUT_MS = 2_000;

/**
 * Finds the dnsmasq of a network that an earlier agent left running: by its pid file, or by its arguments if that agent was
 * killed before the pid file was written. Two must never serve one network.
 */
export class ServerFinder {
  /** Processes by pid file at the time of the first look-up; the driver knows those started later. */
  #leftovers: Promise<ReadonlyMap<string, readonly ServerProcess[]>> | undefined;

  /** Scans all processes again next time, because a start has failed in an unknown state. */
  forget(): void {
    this.#leftovers = undefined;
  }

  async find(pidFile: string): Promise<ServerProcess | undefined> {
    this.#leftovers ??= findByArgument();
    const leftovers = ((await this.#leftovers).get(pidFile) ?? []).filter(isRunning);
    // It is about to end the running one.
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

/** Waits until a hand-over started by a killed agent has become the next dnsmasq, or has ended. */
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
