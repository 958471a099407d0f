import { closeSync, copyFileSync, openSync, readSync, statSync, truncateSync } from 'node:fs';
import { type WaitOptions, waitFor } from '../../../../time/wait.ts';
import { isMissing } from '../../text-file.ts';

/** Returns the size of the file in bytes; 0 if it does not exist. */
export function sizeOf(path: string): number {
  try {
    return statSync(path).size;
  } catch (error) {
    if (isMissing(error)) return 0;
    throw error;
  }
}

/**
 * Copies the log to `log.1` and truncates it once it exceeds `maxBytes`, so that the size of both is bounded. dnsmasq opens it
 * for appending and needs no signal. Lines logged between the copy and the truncation are lost.
 */
export function boundLog(path: string, maxBytes: number): void {
  if (sizeOf(path) <= maxBytes) return;
  copyFileSync(path, `${path}.1`);
  truncateSync(path, 0);
}

/** Returns the complete lines added to a file since the last call; a truncated file is read from its beginning. */
class LineReader {
  readonly #path: string;
  #offset: number;
  #rest = '';

  constructor(path: string, offset: number) {
    this.#path = path;
    this.#offset = offset;
  }

  read(): readonly string[] {
    const size = sizeOf(this.#path);
    if (size < this.#offset) this.#offset = 0;
    if (size === this.#offset) return [];
    const file = openSync(this.#path, 'r');
    try {
      const chunk = Buffer.alloc(64 * 1024);
      const lines: string[] = [];
      for (;;) {
        const bytesRead = readSync(file, chunk, 0, chunk.length, this.#offset);
        if (bytesRead === 0) return lines;
        this.#offset += bytesRead;
        const parts = (this.#rest + chunk.toString('latin1', 0, bytesRead)).split('\n');
        this.#rest = parts.pop() ?? '';
        lines.push(...parts);
      }
    } finally {
      closeSync(file);
    }
  }
}

/**
 * Time after which a log that does not grow is considered broken, and the number of checks of an idle dnsmasq that then decide.
 */
const SILENCE_MS = 1_000;
const SILENT_LOOKS = 3;

/** The state of a process whose log is awaited. */
export interface Observed {
  readonly isRunning: () => boolean;
  /** Whether it is idle. */
  readonly isIdle: () => boolean;
}

/**
 * Waits until dnsmasq has logged that it has read a file. Resolves to false if its log does not grow (disk full for dnsmasq but not
 * for the agent, log moved away) although dnsmasq is idle: an idle dnsmasq has handled all signals, so it has read the file.
 * Throws if it logs that it cannot read a file, or has ended; throws WaitTimeout.
 *
 * @param from size of the log in bytes before dnsmasq was signalled.
 */
export async function waitUntilRead(
  log: string,
  from: number,
  file: string,
  server: Observed,
  bound: number | WaitOptions,
): Promise<boolean> {
  const reader = new LineReader(log, from);
  const text = Buffer.from(file).toString('latin1');
  const silentAt = performance.now() + SILENCE_MS;
  let restingLooks = 0;
  const { wasRead } = await waitFor(
    `dnsmasq reading ${file} (its log is ${log})`,
    () => {
      for (const line of reader.read()) {
        if (line.endsWith(`: read ${text}`) || line.includes(`: read ${text} - `)) return { wasRead: true };
        const failure = /(cannot read|failed to load names from) (.*)/.exec(line);
        if (failure) throw new Error(`dnsmasq ${Buffer.from(failure[0], 'latin1').toString()}`);
      }
      if (!server.isRunning()) throw new Error(`dnsmasq ended while it was to read ${file}; its log is ${log}`);
      restingLooks = server.isIdle() && sizeOf(log) <= from ? restingLooks + 1 : 0;
      return restingLooks >= SILENT_LOOKS && performance.now() > silentAt && { wasRead: false };
    },
    bound,
  );
  return wasRead;
}
