import type { Logger } from 'pino';
import { isRunning, signalProcess } from '../../../../linux/processes.ts';
import { pause } from '../../../../time/pause.ts';
import type { Files } from './command-line.ts';
import { readableStamps, recordLoaded } from './loaded.ts';
import { sizeOf, waitUntilRead } from './log-file.ts';
import { NEGLIGIBLE_MS, type ReloadThrottle, reloadTimeoutMs } from './reload-throttle.ts';
import { isIdle, type ServerProcess, waitUntilIdle } from './server-process.ts';

interface Parts {
  readonly files: Files;
  /** Command line of the running dnsmasq. */
  readonly command: readonly string[];
  /** Number of hosts in its files. */
  readonly hosts: number;
  readonly throttle: ReloadThrottle;
  /** Aborted when the driver closes: a waiting pass then ends. */
  readonly closing: AbortSignal;
  readonly log: Logger;
}

/** A reload takes about as long as the last one: it is not looked at before this share of that time, then this often in it. */
const SURE_SHARE = 0.7;
const LOOKS = 10;

/** Returns for how many milliseconds more a dnsmasq should not be reloaded. */
export function restMs(throttle: ReloadThrottle, running: ServerProcess): number {
  const now = performance.now();
  if (throttle.waitMs(now) === 0) return 0;
  return isIdle(running) ? throttle.idleWaitMs(now) : throttle.nextLookMs(now);
}

/** Makes one dnsmasq read its files, one reload at a time, and knows when it has. */
export class Reloader {
  readonly #parts: Parts;
  readonly #timeoutMs: number;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#timeoutMs = reloadTimeoutMs(parts.hosts);
  }

  /** Waits until dnsmasq may be reloaded, or replaced by a restart that stands in for a reload. Throws if the driver closes. */
  async waitForTurn(running: ServerProcess, kind: 'reload' | 'restart' = 'reload'): Promise<void> {
    const { throttle, closing } = this.#parts;
    const waitMs = () => (kind === 'restart' ? throttle.restartWaitMs(performance.now()) : restMs(throttle, running));
    for (let ms = waitMs(); ms > 0; ms = waitMs())
      if (!(await pause(Math.ceil(ms), closing))) throw new Error('the dnsmasq driver closes');
  }

  /** Reloads the running dnsmasq when its turn has come. */
  async reload(running: ServerProcess): Promise<void> {
    await this.waitForTurn(running);
    await this.observe(running, () => {
      if (!isRunning(running) || !signalProcess(running.pid, 'SIGHUP')) {
        throw new Error(`dnsmasq (process ${running.pid}) ended before it could be reloaded`);
      }
      return this.#lastRead();
    });
  }

  /**
   * Does something that makes an idle dnsmasq read files, and waits until it has read them and serves again.
   *
   * @param act returns the path of the file that it reads last.
   */
  async observe(running: ServerProcess, act: () => string | Promise<string>): Promise<void> {
    const { files, throttle } = this.#parts;
    // One that a killed agent started may still be at its first reading, whose lines in the log are not those of the reload.
    await waitUntilIdle(running, this.#timeoutMs);
    const from = sizeOf(files.log);
    const began = performance.now();
    await this.untilRead(running, from, await act());
    throttle.reloaded(began, performance.now());
  }

  /**
   * Waits until dnsmasq has read the files and serves again, and only then records it in `loaded`.
   *
   * @param from size of its log before it was made to read.
   */
  async untilRead(process: ServerProcess, from: number, last = this.#lastRead()): Promise<void> {
    const { files, throttle, closing, log } = this.#parts;
    const stamps = readableStamps(files);
    const lastMs = throttle.lastMs;
    if (lastMs > NEGLIGIBLE_MS) await pause(lastMs * SURE_SHARE, closing);
    const bound = { timeoutMs: this.#timeoutMs, ...(lastMs > NEGLIGIBLE_MS ? { intervalMs: lastMs / LOOKS } : {}) };
    const observed = { isRunning: () => isRunning(process), isIdle: () => isIdle(process) };
    const wasRead = await waitUntilRead(files.log, from, last, observed, bound);
    if (!wasRead) log.warn({ pid: process.pid }, `dnsmasq does not log to ${files.log}`);
    await waitUntilIdle(process, bound);
    recordLoaded(files.loaded, process, stamps);
  }

  /** Returns the last file that dnsmasq reads. Without a range, it does not read the DHCP files. */
  #lastRead(): string {
    const { files, command } = this.#parts;
    return command.some((one) => one.startsWith('--dhcp-range=')) ? files.opts : files.addnHosts;
  }
}
