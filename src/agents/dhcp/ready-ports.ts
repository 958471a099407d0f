import type { Logger } from 'pino';
import { backoffDelay } from '../../time/backoff.ts';
import { pause } from '../../time/pause.ts';

/** Maximum number of ports per `dhcp_ready_on_ports`, as in Neutron's agent. */
const MAX_PORTS_A_CALL = 64;
/** Ports that may wait to be reported; the next full sync reports those that were dropped. */
const MAX_WAITING = 200_000;

/** Reports to the server which ports DHCP is ready for: in batches, one call at a time, repeated until it succeeds. */
export class ReadyPorts {
  readonly #send: (portIds: readonly string[]) => Promise<unknown>;
  readonly #log: Logger;
  readonly #waiting = new Set<string>();
  readonly #stop = new AbortController();
  #sending = false;

  constructor(send: (portIds: readonly string[]) => Promise<unknown>, log: Logger) {
    this.#send = send;
    this.#log = log;
  }

  add(portIds: readonly string[]): void {
    for (const id of portIds) {
      if (this.#waiting.size < MAX_WAITING) this.#waiting.add(id);
    }
    if (!this.#sending && this.#waiting.size > 0 && !this.#stop.signal.aborted) void this.#run();
  }

  /** Removes a deleted port, whose readiness is not reported. */
  forget(portId: string): void {
    this.#waiting.delete(portId);
  }

  /** Stops reporting. Does not wait for a running call. */
  close(): void {
    this.#stop.abort();
  }

  async #run(): Promise<void> {
    this.#sending = true;
    let failures = 0;
    while (this.#waiting.size > 0 && !this.#stop.signal.aborted) {
      const batch = this.#waiting.values().take(MAX_PORTS_A_CALL).toArray();
      for (const id of batch) this.#waiting.delete(id);
      try {
        await this.#send(batch);
        failures = 0;
      } catch (error) {
        failures += 1;
        for (const id of batch) this.#waiting.add(id);
        if (failures === 1 && !this.#stop.signal.aborted) {
          this.#log.warn(
            { err: error, ports: this.#waiting.size },
            'cannot report ready ports to the server; retrying',
          );
        }
        await pause(backoffDelay(failures, { firstMs: 500, maxMs: 30_000 }), this.#stop.signal);
      }
    }
    this.#sending = false;
  }
}
