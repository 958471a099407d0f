import type { Logger } from 'pino';
import { isRunning } from '../../../../linux/processes.ts';
import { boundLog } from './log-file.ts';
import type { ServerProcess } from './server-process.ts';

const LOOK_MS = 500;
const LOOKS_PER_LOG_CHECK = 20;

/** The watched server of a network. */
export interface Watched {
  readonly process: ServerProcess;
  readonly log: string;
  readonly maxLogBytes: number;
}

/**
 * Checks running servers twice a second: Node has no event for the end of a process that is not a child, and dnsmasq is a child
 * only until it moves to the background. A check takes a few microseconds per server. Also keeps their logs bounded.
 */
export class ServerWatch {
  readonly #watched: ReadonlyMap<string, Watched>;
  readonly #log: Logger;
  readonly #timer: NodeJS.Timeout;
  #looks = 0;

  /**
   * @param watched servers by network; may change at any time.
   * @param isBusy whether a network has a call in progress and must not be checked.
   * @param died called for each server that has ended.
   */
  constructor(
    watched: ReadonlyMap<string, Watched>,
    isBusy: (networkId: string) => boolean,
    died: (networkId: string) => void,
    log: Logger,
  ) {
    this.#watched = watched;
    this.#log = log;
    this.#timer = setInterval(() => this.#look(isBusy, died), LOOK_MS).unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #look(isBusy: (networkId: string) => boolean, died: (networkId: string) => void): void {
    const checkLogs = ++this.#looks % LOOKS_PER_LOG_CHECK === 0;
    for (const [networkId, { process, log, maxLogBytes }] of this.#watched) {
      if (isBusy(networkId)) continue;
      if (!isRunning(process)) died(networkId);
      else if (checkLogs) this.#boundLog(networkId, log, maxLogBytes);
    }
  }

  #boundLog(network: string, log: string, maxBytes: number): void {
    try {
      boundLog(log, maxBytes);
    } catch (error) {
      this.#log.warn({ network, err: error }, 'cannot rotate the log of dnsmasq');
    }
  }
}
