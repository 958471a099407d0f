import { Client, type ClientOptions } from './client.ts';
import type { Resource } from './ledger.ts';

export type LoadOptions = Omit<ClientOptions, 'name'> & { readonly clients: number };

/** Several simultaneous clients, which continue while servers stop and start. */
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

  /** Starts with the existing resources. */
  start(there: ReadonlyMap<string, Resource>): void {
    this.#stop = new AbortController();
    this.#running = Promise.all(
      this.#clients.map((client) => {
        client.settle(there);
        return client.run(this.#stop.signal);
      }),
    );
  }

  /** Stops each client after its current request. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  /** Responses that no client must get, whatever fails. */
  surprises(): readonly string[] {
    return this.#clients.flatMap((client) => client.surprises);
  }
}
