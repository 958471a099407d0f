import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { CliFailure } from './failure.ts';

/** Time limit for a stop, in milliseconds. */
const CLOSE_MS = 10_000;

/** Resolves on the first SIGTERM or SIGINT; the second one ends the process. */
export function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let stopping = false;
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.on(signal, () => {
        if (stopping) process.exit(1);
        stopping = true;
        resolve(signal);
      });
    }
  });
}

/** Something that runs until it is closed. */
export interface Running {
  close(): Promise<void>;
}

/**
 * Waits for a start that was in progress when the process was asked to stop; resolves to undefined if it failed. Throws CliFailure
 * if it does not end within 10 s.
 */
export async function startedInTime<T>(starting: Promise<T>, log: Logger): Promise<T | undefined> {
  const failed = (error: unknown) => {
    log.debug({ err: error }, 'stopped while starting');
    return undefined;
  };
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    reject(new CliFailure(`stopped while starting, and the start did not end within ${CLOSE_MS / 1000} s`));
  }, CLOSE_MS);
  try {
    return await Promise.race([starting.catch(failed), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Closes a component; stops waiting after 10 s, and then sets exit code 1. */
export async function closeWithin(parts: Running, log: Logger): Promise<void> {
  const closed = await Promise.race([parts.close().then(() => true), delay(CLOSE_MS, false, { ref: false })]);
  if (closed) return;
  log.error(`not stopped within ${CLOSE_MS / 1000} s; exiting anyway`);
  process.exitCode = 1;
}

export interface Service {
  readonly log: Logger;
  /** Resolves to the reason when the service must stop. */
  readonly stopped: Promise<string>;
  /** Starts it; resolves to its log message once it is ready. `stop` is aborted if it must stop while it starts. */
  start(stop: AbortSignal): Promise<Running & { readonly ready: string; readonly facts?: object }>;
}

/**
 * Runs a service until it must stop, then closes it. Logs one line when it is ready and one when it stops. Throws the errors of its
 * start, unless it had to stop meanwhile.
 */
export async function runService({ log, stopped, start }: Service): Promise<void> {
  const abort = new AbortController();
  const starting = start(abort.signal);
  const parts = await Promise.race([starting, stopped.then(() => undefined)]);
  if (parts) log.info(parts.facts ?? {}, `ready: ${parts.ready}`);
  const reason = await stopped;
  log.info(`stopping: ${reason}`);
  if (!parts) abort.abort();
  const started = parts ?? (await startedInTime(starting, log));
  if (started) await closeWithin(started, log);
}
