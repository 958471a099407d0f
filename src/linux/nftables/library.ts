import { Worker } from 'node:worker_threads';
import { waitFor } from '../../time/wait.ts';
import type { InNamespace } from '../ip.ts';
import { type Nftables, NftFailed } from './contract.ts';
import type { Asked, Told } from './library-worker.ts';

const TIMEOUT_MS = 30_000;
const MISSING = /No such file or directory/;

/**
 * Runs scripts by libnftables, in a thread of its own: it blocks, and the thread stays in the namespace. A change of one element costs
 * a tenth of a process.
 */
export class NftLibrary implements Nftables {
  readonly #worker: Worker;
  readonly #waiting: PromiseWithResolvers<Told>[] = [];
  #ended: Error | undefined;

  private constructor(worker: Worker) {
    this.#worker = worker;
    worker.unref();
    worker.on('message', (told: Told) => this.#waiting.shift()?.resolve(told));
    worker.on('error', (error) => this.#end(error));
    worker.on('exit', () => this.#end(new Error('the thread of libnftables has ended')));
  }

  /** Throws if the library cannot be loaded, or the namespace does not exist. */
  static async open({ namespace }: InNamespace): Promise<NftLibrary> {
    const worker = new Worker(new URL('./library-worker.ts', import.meta.url), { workerData: { namespace } });
    const library = new NftLibrary(worker);
    // The first answer says that it is ready.
    await library.#next('libnftables to load');
    return library;
  }

  async apply(script: string): Promise<void> {
    await this.#ask({ script });
  }

  async list(table: string): Promise<string | undefined> {
    try {
      return await this.#ask({ script: `list table ${table}` });
    } catch (error) {
      if (error instanceof NftFailed && MISSING.test(error.message)) return undefined;
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  async #ask(asked: Asked): Promise<string> {
    if (this.#ended) throw this.#ended;
    const answer = this.#next('libnftables to answer');
    this.#worker.postMessage(asked);
    const { output, failure } = await answer;
    if (failure !== undefined) throw new NftFailed(failure);
    return output;
  }

  #next(what: string): Promise<Told> {
    const told = Promise.withResolvers<Told>();
    this.#waiting.push(told);
    return waitFor(what, told.promise, TIMEOUT_MS);
  }

  #end(error: Error): void {
    this.#ended ??= error;
    for (const one of this.#waiting.splice(0)) one.reject(error);
  }
}
