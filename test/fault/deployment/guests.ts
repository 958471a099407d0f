import { expect } from 'vitest';
import type { PortDocument } from '../../../src/rpc/documents.ts';
import type { HostGuest, TestHost } from '../../support/hosts/test-host.ts';

const LEASE_MS = 30_000;

/** Machines that run during all faults, and must not be affected. */
export class Guests {
  readonly #guests: { readonly host: string; readonly port: PortDocument; readonly guest: HostGuest }[] = [];

  /** Starts a machine for a port and waits for its lease. */
  async boot(host: TestHost, port: PortDocument): Promise<void> {
    const guest = await host.guest(port);
    this.#guests.push({ host: host.name, port, guest });
    await guest.lease('eth0', LEASE_MS);
  }

  /** Returns the ports of machines on a host. */
  ports(host: string): readonly PortDocument[] {
    return this.#guests.filter((one) => one.host === host).map(({ port }) => port);
  }

  /** Renews all leases; each machine must get its address. */
  async renew(): Promise<void> {
    for (const { port, guest } of this.#guests) {
      const { address } = await guest.renew('eth0', LEASE_MS);
      expect(address).toBe(port.fixed_ips[0]?.ip_address);
    }
  }

  async stop(): Promise<void> {
    for (const { guest } of this.#guests) await guest.stop().catch(() => undefined);
  }
}
