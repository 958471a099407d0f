import { writeSync } from 'node:fs';

/** Maximum length of the buffer; longer text is written at once. */
const MAX_CHARACTERS = 64 * 1024;
/** Milliseconds for which text is buffered: too short to be noticed by a reader. */
const BATCH_MS = 20;

let pending = '';
let scheduled = false;

function flush(): void {
  scheduled = false;
  if (pending === '') return;
  const text = pending;
  pending = '';
  process.stderr.write(text);
}

/**
 * Writes to standard error; text written within a few milliseconds is batched, so that a server under load makes one system call
 * for many lines. The buffer is flushed before the process exits.
 */
export function writeBatched(text: string): void {
  pending += text;
  if (pending.length >= MAX_CHARACTERS) flush();
  else if (!scheduled) {
    scheduled = true;
    setTimeout(flush, BATCH_MS).unref();
  }
}

process.on('exit', () => {
  // The event loop has ended: asynchronous streams no longer write.
  if (pending !== '') writeSync(2, pending);
});
