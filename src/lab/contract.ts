import { LabFailure } from './failure.ts';

/** A way out of a routing table that DHCP gave: destination in CIDR form, gateway (0.0.0.0: on the link itself). */
export interface Route {
  readonly destination: string;
  readonly gateway: string;
}

/** What a DHCP client got for one NIC. Everything it was sent is in `raw`, under the client's own names. */
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
  /** Seconds; 4294967295 means for ever. */
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
  /** UUID; everything the guest makes on the host is found again by it and by the names of the NICs' devices. */
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
 * A machine of this host. Holds no state of its own but the folder and what runs: a second process that builds one
 * from the same spec MAY go on with it.
 */
export interface Guest {
  /** Makes the devices on the host; the L2 agent plugs them into their bridges. Throws when one exists already. */
  plug(): Promise<void>;
  /** Starts the machine and a DHCP client on each NIC; they outlive this process. */
  start(): Promise<void>;
  /** Undefined when only root could determine it. */
  running(): Promise<boolean | undefined>;
  /** The lease that a NIC has now, without waiting. */
  current(nic: string): Promise<NicLease | undefined>;
  /** Waits for a NIC's lease; throws NoLease when there is none in time. */
  lease(nic: string, timeoutMs: number, signal?: AbortSignal): Promise<NicLease>;
  /** Asks the client to renew now and waits for what comes of it; throws NoLease when nothing does in time. */
  renew(nic: string, timeoutMs: number): Promise<NicLease>;
  /** Ends the machine and removes its devices. Nothing there is no error: MUST work on a half-made guest. */
  stop(): Promise<void>;
}

/** No lease within the time; the message names the machine, the NIC and the time. */
export class NoLease extends LabFailure {
  constructor(machine: string, nic: string, ms: number, hint: string) {
    super(`${machine}: no DHCP lease for ${nic} within ${ms} ms${hint ? ` (${hint})` : ''}`);
    this.name = 'NoLease';
  }
}
