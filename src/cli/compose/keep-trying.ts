import type { Logger } from 'pino';
import { retry } from '../../time/retry.ts';
import type { Running } from '../process/lifetime.ts';

interface OutageTexts {
  readonly broken: string;
  readonly restored: string;
}

/**
 * Starts a component that others can run without, and retries until it starts; does not wait for it. `broken` and
 * `restored` are logged once per outage. `close` closes the component, or ends the retries.
 */
export function keepTrying({ broken, restored }: OutageTexts, start: () => Promise<Running>, log: Logger): Running {
  const stop = new AbortController();
  const onFailure = (error: unknown, failures: number) => {
    if (failures === 1) log.error({ err: error }, `${broken}; retrying`);
    else log.debug({ err: error, failures }, broken);
  };
  let component: Running | undefined;
  const attempt = async (failures: number) => {
    const started = await start();
    if (failures > 0) log.info(restored);
    if (!stop.signal.aborted) component = started;
    // A start has no time limit: a component that starts after `close` is closed at once.
    else await started.close().catch((err: unknown) => log.warn({ err }, `${broken}: a component cannot be closed`));
  };
  // Without a limit, only the signal ends the retries.
  retry(attempt, { firstMs: 1_000, maxMs: 30_000, signal: stop.signal, onFailure }).catch(() => undefined);
  return {
    async close() {
      stop.abort();
      await component?.close();
    },
  };
}
