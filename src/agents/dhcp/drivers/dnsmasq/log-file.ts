import { copyFileSync, statSync, truncateSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { waitFor } from '../../../../time/wait.ts';
import { isMissing } from './text-file.ts';

/** Bytes of the file; 0 when there is none. */
export function sizeOf(path: string): number {
  try {
    return statSync(path).size;
  } catch (error) {
    if (isMissing(error)) return 0;
    throw error;
  }
}

/**
 * Puts the log aside as `log.1` and empties it once it has grown beyond `maxBytes`, so that both together are bounded.
 * dnsmasq appends to whatever is there, so it need not be told. What it logs between the copy and the emptying is lost.
 */
export function boundLog(path: string, maxBytes: number): void {
  if (sizeOf(path) <= maxBytes) return;
  copyFileSync(path, `${path}.1`);
  truncateSync(path, 0);
}

/** Reads the whole lines that were appended to a file since the last call; one that was emptied is read from its beginning. */
class LineReader {
  readonly #path: string;
  #offset: number;
  #rest = '';

  constructor(path: string, offset: number) {
    this.#path = path;
    this.#offset = offset;
  }

  async read(): Promise<readonly string[]> {
    const size = sizeOf(this.#path);
    if (size < this.#offset) this.#offset = 0;
    if (size === this.#offset) return [];
    const file = await open(this.#path, 'r');
    try {
      const chunk = Buffer.alloc(64 * 1024);
      const lines: string[] = [];
      for (;;) {
        const { bytesRead } = await file.read(chunk, 0, chunk.length, this.#offset);
        if (bytesRead === 0) return lines;
        this.#offset += bytesRead;
        const parts = (this.#rest + chunk.toString('latin1', 0, bytesRead)).split('\n');
        this.#rest = parts.pop() ?? '';
        lines.push(...parts);
      }
    } finally {
      await file.close();
    }
  }
}

/** Time after which a log that does not grow at all is taken for broken, and looks at a resting dnsmasq that then count. */
const SILENCE_MS = 1_000;
const SILENT_LOOKS = 3;

/** What is to be known of a process whose log is waited for. */
export interface Observed {
  readonly isRunning: () => boolean;
  /** Whether it waits for something to happen. */
  readonly isIdle: () => boolean;
}

/**
 * Waits until dnsmasq has logged that it has read a file. Resolves to false when its log does not grow at all (disk full for
 * it but not for us, log moved away) though it rests: a signal never stays unheard while it does, so it has read the file.
 * Throws when it logs that it cannot read one, when it has ended, and WaitTimeout.
 *
 * @param from bytes of the log before it was told to read.
 */
export async function waitUntilRead(
  log: string,
  from: number,
  file: string,
  server: Observed,
  timeoutMs: number,
): Promise<boolean> {
  const reader = new LineReader(log, from);
  const text = Buffer.from(file).toString('latin1');
  const silentAt = performance.now() + SILENCE_MS;
  let restingLooks = 0;
  const { heard } = await waitFor(
    `dnsmasq reading ${file} (its log is ${log})`,
    async () => {
      for (const line of await reader.read()) {
        if (line.endsWith(`: read ${text}`) || line.includes(`: read ${text} - `)) return { heard: true };
        const failure = /(cannot read|failed to load names from) (.*)/.exec(line);
        if (failure) throw new Error(`dnsmasq ${Buffer.from(failure[0], 'latin1').toString()}`);
      }
      if (!server.isRunning()) throw new Error(`dnsmasq ended while it was to read ${file}; its log is ${log}`);
      restingLooks = server.isIdle() && sizeOf(log) <= from ? restingLooks + 1 : 0;
      return restingLooks >= SILENT_LOOKS && performance.now() > silentAt && { heard: false };
    },
    timeoutMs,
  );
  return heard;
}
