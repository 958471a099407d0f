import { LabFailure } from './failure.ts';

/** A route received by DHCP: destination in CIDR notation, gateway (0.0.0.0: on link). */
export interface Route {
  readonly destination: string;
  readonly gateway: string;
}

/** The lease of one NIC. `raw` contains everything that the client received, under the client's names. */
export interface NicLease {
  readonly event: 'bound' | 'renew';
  readonly address: string;
  /** Dotted netmask and its length. */
  readonly mask: string | null;
  readonly prefix: number | null;
  readonly broadcast: string | null;
  readonly routers: readonly string[];
  readonly dns: readonly string[];
  readonly domain: string | null;
  readonly hostname: string | null;
  readonly mtu: number | null;
  /** Seconds; 4294967295: infinite. */
  readonly leaseSeconds: number | null;
  readonly server: string | null;
  /** Option 121 and option 249. */
  readonly staticRoutes: readonly Route[];
  readonly msStaticRoutes: readonly Route[];
  /** Milliseconds from the start of the client to this lease. */
  readonly ms: number;
  readonly raw: Readonly<Record<string, string>>;
}

/** One NIC of a guest: its name inside the guest (eth0), its MAC and the device on the host (`tap<port[0:11]>`). */
export interface GuestNic {
  readonly name: string;
  readonly mac: string;
  readonly device: string;
}

export interface GuestSpec {
  /** UUID; it and the names of the NICs' devices identify everything that the guest creates on the host. */
  readonly id: string;
  readonly name: string;
  /** Existing folder for logs and leases. */
  readonly folder: string;
  readonly nics: readonly GuestNic[];
  /** Additional options to request, as for `udhcpc -O`. */
  readonly requestOptions?: readonly string[];
  /** Additional arguments of udhcpc, such as `-x 0x3d:0102` for a client id. */
  readonly clientArguments?: readonly string[];
}

/**
 * A machine on this host. Its only state is the folder and what runs, so that another process MAY continue with a guest built from
 * the same spec.
 */
export interface Guest {
  /** Creates the devices on the host; the L2 agent plugs them into their bridges. Throws if one exists already. */
  plug(): Promise<void>;
  /** Starts the machine and a DHCP client on each NIC; they outlive this process. */
  start(): Promise<void>;
  /** Undefined if only root can determine it. */
  running(): Promise<boolean | undefined>;
  /** Returns the current lease of a NIC, without waiting. */
  current(nic: string): Promise<NicLease | undefined>;
  /** Waits for the lease of a NIC. Throws NoLease after the time limit. */
  lease(nic: string, timeoutMs: number, signal?: AbortSignal): Promise<NicLease>;
  /** Makes the client renew now, and waits for the lease. Throws NoLease after the time limit. */
  renew(nic: string, timeoutMs: number): Promise<NicLease>;
  /** Ends the machine and removes its devices. MUST also work on a guest that is incomplete or gone. */
  stop(): Promise<void>;
}

/** There was no lease within the time limit; the message names machine, NIC and limit. */
export class NoLease extends LabFailure {
  constructor(machine: string, nic: string, ms: number, hint: string) {
    super(`${machine}: no DHCP lease for ${nic} within ${ms} ms${hint ? ` (${hint})` : ''}`);
    this.name = 'NoLease';
  }
}
