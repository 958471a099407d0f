import type { Logger } from 'pino';

/** Logs the begin and the end of each outage once, however many requests fail meanwhile. */
export class Outages {
  readonly #log: Logger;
  readonly #lasting = new Set<string>();

  constructor(log: Logger) {
    this.#log = log;
  }

  begin(name: string, error: Error): void {
    const level = this.#lasting.has(name) ? 'debug' : 'warn';
    this.#lasting.add(name);
    this.#log[level]({ err: error }, error.message);
  }

  end(name: string, message: string): void {
    if (this.#lasting.delete(name)) this.#log.info(message);
  }
}
