import type { Logger } from 'pino';
import { retry } from '../../time/retry.ts';
import type { Running } from '../process/lifetime.ts';

/**
 * Starts a part that others do without for a while, again until it works; does not wait for it. `trouble` begins the one line of
 * the log that tells that it does not work. `close` ends the part, or the trying.
 */
export function keepTrying(trouble: string, start: () => Promise<Running>, log: Logger): Running {
  const stop = new AbortController();
  const onFailure = (error: unknown, failures: number) => {
    if (failures === 1) log.error({ err: error }, `${trouble}; trying again until they can`);
    else log.debug({ err: error, failures }, trouble);
  };
  let part: Running | undefined;
  const attempt = async (failures: number) => {
    const started = await start();
    if (failures > 0) log.info(`over: ${trouble}`);
    if (!stop.signal.aborted) part = started;
    // A start takes as long as it likes: a part that comes too late is closed when it comes.
    else await started.close().catch((err: unknown) => log.warn({ err }, `${trouble}: a part could not be closed`));
  };
  // Without a limit, only the signal ends it.
  retry(attempt, { firstMs: 1_000, maxMs: 30_000, signal: stop.signal, onFailure }).catch(() => undefined);
  return {
    async close() {
      stop.abort();
      await part?.close();
    },
  };
}
