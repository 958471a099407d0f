import cluster, { type Address, type Worker } from 'node:cluster';
import type { Logger } from 'pino';
import { backoffDelay } from '../../time/backoff.ts';
import { pause } from '../../time/pause.ts';
import { CliFailure } from '../process/failure.ts';
import type { Running } from '../process/lifetime.ts';

/** The message that asks a worker to stop. */
const STOP = 'stop';
/** Milliseconds after which a worker that does not stop is killed; its own limit is 10 s. */
const STOP_MS = 12_000;
const RESTART = { firstMs: 500, maxMs: 30_000, jitter: 0 };
/** A worker that ran this long resets the count of failures. */
const STEADY_MS = 60_000;

/** Resolves, in a worker, when it must stop. */
export function workerStopped(): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => resolve(signal));
  process.on('message', (message) => {
    if (message === STOP) resolve('requested by the primary process');
  });
  return promise;
}

export interface RunningWorkers extends Running {
  /** Base URL of their API. */
  readonly url: string;
}

/**
 * Runs this command in `count` worker processes that share its listening port. A worker that exits is replaced, with backoff
 * if it happens again. Resolves when all listen. Throws CliFailure if one exits before that; its log says why.
 */
export async function startWorkers(count: number, log: Logger, stop: AbortSignal): Promise<RunningWorkers> {
  const pool = new WorkerPool(log);
  stop.addEventListener('abort', () => pool.stop());
  try {
    const addresses = await Promise.all(Array.from({ length: count }, () => pool.startFirst()));
    const { address, port } = addresses[0] as Address;
    const host = address.includes(':') ? `[${address}]` : address;
    return { url: `http://${host}:${port}`, close: () => pool.close() };
  } catch (error) {
    await pool.close();
    throw error;
  }
}

class WorkerPool {
  readonly #log: Logger;
  readonly #workers = new Set<Worker>();
  readonly #stop = new AbortController();
  #failures = 0;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Starts a worker and waits until it listens. */
  async startFirst(): Promise<Address> {
    const { promise, resolve, reject } = Promise.withResolvers<Address>();
    const worker = this.#fork();
    worker.once('listening', resolve);
    worker.once('exit', (code) => reject(new CliFailure('a worker exited while it was starting', code || 1)));
    const address = await promise;
    this.#keep(worker, performance.now());
    return address;
  }

  stop(): void {
    this.#stop.abort();
    // A worker that has just ended cannot receive it, and needs not.
    for (const worker of this.#workers) if (worker.isConnected()) worker.send(STOP, () => undefined);
  }

  async close(): Promise<void> {
    this.stop();
    const timer = setTimeout(() => {
      for (const { process } of this.#workers) process.kill('SIGKILL');
    }, STOP_MS);
    await Promise.all([...this.#workers].map((worker) => new Promise((resolve) => worker.once('exit', resolve))));
    clearTimeout(timer);
  }

  #fork(): Worker {
    const worker = cluster.fork();
    this.#workers.add(worker);
    worker.once('exit', () => this.#workers.delete(worker));
    return worker;
  }

  /** Replaces a worker when it exits. */
  #keep(worker: Worker, startedAt: number): void {
    worker.once('exit', (code, signal) => {
      if (this.#stop.signal.aborted) return;
      this.#failures = performance.now() - startedAt > STEADY_MS ? 1 : this.#failures + 1;
      const pauseMs = backoffDelay(this.#failures, RESTART);
      this.#log.warn({ worker: worker.id, end: signal ?? code, pauseMs }, 'a worker exited; starting another');
      void this.#replace(pauseMs);
    });
  }

  async #replace(pauseMs: number): Promise<void> {
    if (await pause(pauseMs, this.#stop.signal)) this.#keep(this.#fork(), performance.now());
  }
}
