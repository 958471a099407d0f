import type { Logger } from 'pino';
import { backoffDelay } from '../../time/backoff.ts';
import { pause } from '../../time/pause.ts';

/** Ports of one `dhcp_ready_on_ports` at most, as Neutron's agent has it. */
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

  /** The port is gone: its readiness is not reported. */
  forget(portId: string): void {
    this.#waiting.delete(portId);
  }

  /** Reports nothing more. A call under way is not waited for. */
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
            'the server cannot be told which ports are ready; trying again',
          );
        }
        await pause(backoffDelay(failures, { firstMs: 500, maxMs: 30_000 }), this.#stop.signal);
      }
    }
    this.#sending = false;
  }
}
