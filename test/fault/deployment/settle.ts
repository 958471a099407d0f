import { setTimeout as pause } from 'node:timers/promises';
import { disagreements } from '../agreement/compare.ts';
import type { ApiFacts, Facts } from '../agreement/facts.ts';
import type { Ledger } from '../load/ledger.ts';

const BETWEEN_MS = 100;
/** A wait so long is told with what it was for. */
const LONG_MS = 5_000;
/** Sentences of an error. */
const MOST = 15;

/**
 * Waits until API, database and hosts agree, and checks that everything that clients were answered is so. Resolves to what the API
 * shows then. Throws with what is wrong when it still is after `timeoutMs`: what was lost does not come back by waiting.
 */
export async function settle(
  read: () => Promise<Facts>,
  ledger: Ledger,
  { timeoutMs, when }: { readonly timeoutMs: number; readonly when: string },
): Promise<ApiFacts> {
  const began = performance.now();
  const deadline = began + timeoutMs;
  let last: readonly string[] = [];
  for (;;) {
    let wrong: readonly string[];
    try {
      const facts = await read();
      wrong = [...ledger.undone(facts.api), ...disagreements(facts)];
      if (wrong.length === 0) {
        const ms = Math.round(performance.now() - began);
        console.log(`${when}; settled in ${ms} ms${ms > LONG_MS ? `, last: ${last.slice(0, 3).join('; ')}` : ''}`);
        return facts.api;
      }
    } catch (error) {
      wrong = [`it cannot be looked at: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`];
    }
    if (performance.now() > deadline) {
      const more = wrong.length > MOST ? [`and ${wrong.length - MOST} more`] : [];
      throw new Error(`${when}, after ${timeoutMs} ms:\n${[...wrong.slice(0, MOST), ...more].join('\n')}`);
    }
    last = wrong;
    await pause(BETWEEN_MS);
  }
}
