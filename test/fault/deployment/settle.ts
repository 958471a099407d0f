import { setTimeout as pause } from 'node:timers/promises';
import { disagreements } from '../agreement/compare.ts';
import type { ApiFacts, Facts } from '../agreement/facts.ts';
import type { Ledger } from '../load/ledger.ts';

const BETWEEN_MS = 100;
/** Waits longer than this are logged with their reason. */
const LONG_MS = 5_000;
/** Returns the sentences of an error. */
const MOST = 15;

/**
 * Waits until API, database and hosts agree, and checks every response to clients. Resolves to the lists of the API. Throws the
 * remaining discrepancies after `timeoutMs`.
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
