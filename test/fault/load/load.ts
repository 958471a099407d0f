import { Client, type ClientOptions } from './client.ts';
import type { Resource } from './ledger.ts';

export type LoadOptions = Omit<ClientOptions, 'name'> & { readonly clients: number };

/** Several clients at once, which go on while servers come and go. */
export class Load {
  readonly #clients: readonly Client[];
  #stop = new AbortController();
  #running: Promise<unknown> = Promise.resolve();

  constructor({ clients, ...options }: LoadOptions) {
    this.#clients = Array.from(
      { length: clients },
      (_, i) => new Client({ ...options, chance: options.chance.branch(), name: `client${i}` }),
    );
  }

  /** Begins, with what is there now. */
  start(there: ReadonlyMap<string, Resource>): void {
    this.#stop = new AbortController();
    this.#running = Promise.all(
      this.#clients.map((client) => {
        client.settle(there);
        return client.run(this.#stop.signal);
      }),
    );
  }

  /** Ends each client after the request that is under way. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  /** Answers that nobody must get, whatever breaks. */
  surprises(): readonly string[] {
    return this.#clients.flatMap((client) => client.surprises);
  }
}
