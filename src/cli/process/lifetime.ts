import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { CliFailure } from './failure.ts';

/** Time that a process has to stop in. */
const CLOSE_MS = 10_000;

/** Resolves with the first SIGTERM or SIGINT; the second one ends the process. */
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
 * What has been starting when the process was told to stop; undefined when that made its start fail. Throws CliFailure when the
 * start does not end within 10 s.
 */
export async function startedInTime<T>(starting: Promise<T>, log: Logger): Promise<T | undefined> {
  const failed = (error: unknown) => {
    log.debug({ err: error }, 'told to stop while starting');
    return undefined;
  };
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    reject(new CliFailure(`told to stop while starting, and the start did not end within ${CLOSE_MS / 1000} s`));
  }, CLOSE_MS);
  try {
    return await Promise.race([starting.catch(failed), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Closes, and gives up waiting after 10 s: then the process ends with code 1. */
export async function closeWithin(parts: Running, log: Logger): Promise<void> {
  const closed = await Promise.race([parts.close().then(() => true), delay(CLOSE_MS, false, { ref: false })]);
  if (closed) return;
  log.error(`it did not stop within ${CLOSE_MS / 1000} s; ending without waiting any longer`);
  process.exitCode = 1;
}

export interface Service {
  readonly log: Logger;
  /** Resolves when it is told to stop, with why. */
  readonly told: Promise<string>;
  /** Starts it; gives what it says when it is ready. `stop` is set off when it is told to stop while it starts. */
  start(stop: AbortSignal): Promise<Running & { readonly ready: string; readonly facts?: object }>;
}

/**
 * Runs a service until it is told to stop, then closes it: one line in the log when it is ready, one when it stops. Throws what
 * its start throws, unless that is because it was told to stop.
 */
export async function runService({ log, told, start }: Service): Promise<void> {
  const abort = new AbortController();
  const starting = start(abort.signal);
  const parts = await Promise.race([starting, told.then(() => undefined)]);
  if (parts) log.info(parts.facts ?? {}, `ready: ${parts.ready}`);
  const reason = await told;
  log.info(`stopping: ${reason}`);
  if (!parts) abort.abort();
  const started = parts ?? (await startedInTime(starting, log));
  if (started) await closeWithin(started, log);
}
