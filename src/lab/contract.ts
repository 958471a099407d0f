import { LabFailure } from './failure.ts';

/** A route that DHCP gave: destination in CIDR form, gateway (0.0.0.0: on the link itself). */
export interface Route {
  readonly destination: string;
  readonly gateway: string;
}

/** The lease of one NIC. `raw` has everything that the client received, under the client's own names. */
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
  /** UUID; everything that the guest creates on the host is found by it and by the names of the NICs' devices. */
  readonly id: string;
  readonly name: string;
  /** Existing folder for logs and leases. */
  readonly folder: string;
  readonly nics: readonly GuestNic[];
  /** Further options to ask for, as `udhcpc -O` takes them. */
  readonly requestOptions?: readonly string[];
  /** Further arguments of udhcpc, such as `-x 0x3d:0102` for a client id. */
  readonly clientArguments?: readonly string[];
}

/**
 * A machine of this host. Its only state is the folder and what runs: a second process that builds one from the same spec MAY
 * continue with it.
 */
export interface Guest {
  /** Creates the devices on the host; the L2 agent plugs them into their bridges. Throws when one exists already. */
  plug(): Promise<void>;
  /** Starts the machine and a DHCP client on each NIC; they outlive this process. */
  start(): Promise<void>;
  /** Undefined when only root could determine it. */
  running(): Promise<boolean | undefined>;
  /** The lease that a NIC has now, without waiting. */
  current(nic: string): Promise<NicLease | undefined>;
  /** Waits for the lease of a NIC. Throws NoLease when there is none in time. */
  lease(nic: string, timeoutMs: number, signal?: AbortSignal): Promise<NicLease>;
  /** Makes the client renew now, and waits for the lease. Throws NoLease when there is none in time. */
  renew(nic: string, timeoutMs: number): Promise<NicLease>;
  /** Ends the machine and removes its devices. MUST work on a guest that is incomplete or gone. */
  stop(): Promise<void>;
}

/** No lease in time; the message names the machine, the NIC and the time. */
export class NoLease extends LabFailure {
  constructor(machine: string, nic: string, ms: number, hint: string) {
    super(`${machine}: no DHCP lease for ${nic} within ${ms} ms${hint ? ` (${hint})` : ''}`);
    this.name = 'NoLease';
  }
}
