import { writeSync } from 'node:fs';

/** Longest text that waits; more is written at once. */
const MAX_CHARACTERS = 64 * 1024;
/** How long text waits for more, in milliseconds: no longer than a reader notices. */
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
 * Writes to standard error, together with all that is written within some milliseconds: a server under load then makes one system call
 * for many lines. What waits when the process exits is written first.
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
  // The event loop has ended: streams of pipes and files write no more.
  if (pending !== '') writeSync(2, pending);
});
