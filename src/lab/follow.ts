import { type FileHandle, open, stat } from 'node:fs/promises';
import { pause } from '../time/pause.ts';

const CHUNK = 65_536;

/** A file that is being followed. */
export interface Following {
  /** Reads what has been written so far, then stops. */
  stop(): Promise<void>;
}

/**
 * Reports each line that is written to a file from now on, even if the file is created later, truncated, or replaced (log
 * rotation). Polls every 20 ms.
 */
export async function followFile(path: string, onLine: (line: string) => void): Promise<Following> {
  let file: FileHandle | undefined = await openIfThere(path);
  let position = file ? (await file.stat()).size : 0;
  let rest = '';
  const buffer = Buffer.alloc(CHUNK);
  const ending = new AbortController();

  async function readOn(): Promise<void> {
    if (!file) return;
    const { size } = await file.stat();
    if (size < position) position = 0;
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, CHUNK, position);
      if (bytesRead === 0) return;
      position += bytesRead;
      const lines = (rest + buffer.toString('latin1', 0, bytesRead)).split('\n');
      // An incomplete line is kept until it is complete.
      rest = (lines.pop() ?? '').slice(0, CHUNK);
      for (const line of lines) onLine(line);
    }
  }

  async function look(): Promise<void> {
    await readOn();
    const [now, held] = await Promise.all([stat(path).catch(() => undefined), file?.stat()]);
    if (!now || (held && held.ino === now.ino && held.dev === now.dev)) return;
    // Lines written between the last poll and the renaming.
    await readOn();
    await file?.close();
    file = await openIfThere(path);
    position = 0;
    rest = '';
    await readOn();
  }

  async function loop(): Promise<void> {
    while (!ending.signal.aborted) {
      await look();
      await pause(20, ending.signal);
    }
    await look();
    await file?.close();
  }

  const done = loop();
  // `stop` reports a failure; until then, it must not count as an unhandled rejection.
  done.catch(() => undefined);
  return {
    stop: () => {
      ending.abort();
      return done;
    },
  };
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || (error as NodeJS.ErrnoException).code === 'ENOTDIR') {
      return undefined;
    }
    throw error;
  }
}
