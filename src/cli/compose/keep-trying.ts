import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Running } from '../process/lifetime.ts';

const FIRST_PAUSE_MS = 1_000;
const MAX_PAUSE_MS = 30_000;

/**
 * Starts a part that others do without for a while, again until it works; does not wait for it. `trouble` begins the one line of
 * the log that tells that it does not work. `close` ends the part, or the trying.
 */
export function keepTrying(trouble: string, start: () => Promise<Running>, log: Logger): Running {
  const stop = new AbortController();
  const run = async (): Promise<Running | undefined> => {
    for (let failures = 0; !stop.signal.aborted; ) {
      try {
        const part = await start();
        if (failures > 0) log.info(`over: ${trouble}`);
        return part;
      } catch (error) {
        if (stop.signal.aborted) return undefined;
        failures += 1;
        if (failures === 1) log.error({ err: error }, `${trouble}; trying again until they can`);
        else log.debug({ err: error, failures }, trouble);
      }
      const pause = Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(failures - 1, 10));
      await delay(pause * (0.75 + Math.random() * 0.25), undefined, { signal: stop.signal }).catch(() => undefined);
    }
    return undefined;
  };
  let part: Running | undefined;
  const running = run().then((started) => {
    part = started;
    // Its start may take as long as it likes: a part that comes too late is closed when it comes.
    if (stop.signal.aborted) return part?.close();
  });
  running.catch((error: unknown) => log.warn({ err: error }, `${trouble}: a part could not be closed`));
  return {
    async close() {
      stop.abort();
      await part?.close();
    },
  };
}
