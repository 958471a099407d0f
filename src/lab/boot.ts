import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { listNamespaces } from '../linux/namespaces.ts';
import { showProcess } from '../linux/processes.ts';
import { bridgeName, tapName } from '../net/device-names.ts';
import { waitFor } from '../time/wait.ts';
import { type Guest, type NicLease, NoLease } from './contract.ts';
import type { Say } from './debian.ts';
import { LabFailure } from './failure.ts';
import { guestOf, prepareGuest } from './guests.ts';
import type { Instance, InstanceNic, InstanceStore } from './instance.ts';
import { libvirtXml } from './libvirt-xml.ts';
import { guestNamespace } from './namespace-guest.ts';
import type { MachineMetadata, NetworkDocument, Neutron, PortDocument } from './neutron.ts';
import { addressesByDhcp, portRequest } from './port-request.ts';
import { removeMachine } from './remove.ts';
import { printable } from './table.ts';
import { type ExchangeLog, type SeenMessage, watchExchange } from './watch-exchange.ts';

export interface NicRequest {
  /** Id or name. */
  readonly network: string;
  readonly fixedIp?: string;
}

export interface BootRequest {
  readonly name: string;
  readonly kind: Instance['kind'];
  readonly nics: readonly NicRequest[];
  /** Default: neither user data nor keys. */
  readonly metadata?: MachineMetadata;
}

/** The environment in which machines are booted. */
export interface Lab {
  readonly neutron: Neutron;
  readonly store: InstanceStore;
  /** Name of this host, as its agents report it. */
  readonly host: string;
  readonly exchangeLog: ExchangeLog;
  readonly say: Say;
  readonly cacheFolder?: string;
}

export interface BootLimits {
  /** Milliseconds to wait for the ports to become ACTIVE. */
  readonly pluggedMs: number;
  /** Milliseconds to wait for each lease, from the start of the machine. */
  readonly leaseMs: number;
  /** Aborts the boot; everything that it has created is removed. */
  readonly signal?: AbortSignal;
}

export interface NicReport {
  readonly nic: InstanceNic;
  readonly lease: NicLease | null;
  /** Why there is no lease. */
  readonly problem: string | null;
  /** Whether the NIC has the addresses of its port. */
  readonly right: boolean;
}

export interface BootReport {
  readonly instance: Instance;
  readonly folder: string;
  readonly nics: readonly NicReport[];
  readonly exchange: readonly SeenMessage[];
  readonly right: boolean;
}

// XML 1.0 does not allow control characters, and libvirt does not allow slashes in names.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are rejected
const NAME = /^[^\x00-\x1f\x7f-\x9f/]{1,255}$/;
const MAX_NICS = 16;

async function checkRequest({ name, nics }: BootRequest, store: InstanceStore): Promise<void> {
  if (!NAME.test(name)) {
    throw new LabFailure(
      `name ${JSON.stringify(name)}: must have 1 to 255 characters, without slashes and control characters`,
    );
  }
  if (nics.length < 1 || nics.length > MAX_NICS) {
    throw new LabFailure(`a machine has 1 to ${MAX_NICS} networks (--network), not ${nics.length}`);
  }
  const [taken] = await store.find(name);
  if (taken)
    throw new LabFailure(`a machine named ${JSON.stringify(name)} exists already (${taken.id}): delete it first`);
}

/** Generates a UUID whose first eight digits are not in the name of a namespace of this host. */
async function freeId(): Promise<string> {
  const taken = new Set(await listNamespaces());
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const id = randomUUID();
    if (!taken.has(guestNamespace(id))) return id;
  }
  throw new LabFailure('no free name for a namespace in 100 attempts: too many machines on this host');
}

async function nicOf(
  name: string,
  port: PortDocument,
  network: NetworkDocument,
  neutron: Neutron,
): Promise<InstanceNic> {
  return {
    name,
    mac: port.mac_address.toLowerCase(),
    device: tapName(port.id),
    bridge: bridgeName(network.id),
    networkId: network.id,
    networkName: network.name,
    mtu: network.mtu ?? null,
    portId: port.id,
    fixedIps: port.fixed_ips.map(({ ip_address }) => ip_address),
    asked: addressesByDhcp(port, await neutron.subnets(network.id)),
  };
}

/** Stores the metadata of a machine whose ports belong to these projects. Throws LabFailure if there is some, and the server stores none. */
async function describe(
  { id, name }: Instance,
  projects: ReadonlySet<string>,
  metadata: MachineMetadata,
  neutron: Neutron,
): Promise<void> {
  for (const project of projects) {
    if (await neutron.describeMachine({ id, name, project, ...metadata })) continue;
    if (metadata.userData === null && Object.keys(metadata.publicKeys).length === 0) return;
    throw new LabFailure(`${neutron.url} is not a Neutrino: it stores neither user data nor keys of machines`);
  }
}

/** Waits as nova-compute does for network-vif-plugged: the L2 agent has plugged the device and DHCP is ready for it. */
async function waitForActive(instance: Instance, neutron: Neutron, { pluggedMs, signal }: BootLimits): Promise<void> {
  const waiting = instance.nics.map(({ name, portId, device }) => {
    const what = `port ${portId} of ${name} to become ACTIVE (the L2 agent of host ${instance.host} plugs ${device}, a DHCP agent serves the port)`;
    const active = async () => {
      const port = await neutron.port(portId);
      if (!port) throw new LabFailure(`port ${portId} of ${name} has been deleted`);
      return port.status === 'ACTIVE' ? true : undefined;
    };
    return waitFor(what, active, { timeoutMs: pluggedMs, intervalMs: 50, signal });
  });
  await Promise.all(waiting);
}

async function reportNic(nic: InstanceNic, guest: Guest, { leaseMs, signal }: BootLimits): Promise<NicReport> {
  // There is no lease to wait for: the port has no address, or gets it without DHCP.
  if (nic.asked.length === 0) return { nic, lease: null, problem: 'no DHCP here', right: true };
  try {
    const lease = await guest.lease(nic.name, leaseMs, signal);
    return { nic, lease, problem: null, right: nic.asked.includes(lease.address) };
  } catch (error) {
    if (!(error instanceof NoLease)) throw error;
    return { nic, lease: null, problem: error.message, right: false };
  }
}

/**
 * Boots a machine as nova-compute does: creates ports, libvirt.xml and devices, waits until the ports are ACTIVE, starts the
 * machine, waits for its leases and reports them. `watch` receives each message of the DHCP exchange at once. Removes everything
 * created if it fails. Throws LabFailure; a missing or wrong lease is not a failure but part of the report.
 */
export async function bootMachine(
  request: BootRequest,
  lab: Lab,
  limits: BootLimits,
  watch: (message: SeenMessage) => void,
): Promise<BootReport> {
  const { neutron, store, host } = lab;
  await checkRequest(request, store);
  const networks = await Promise.all(request.nics.map(({ network }) => neutron.findNetwork(network)));
  const named = await neutron.hasExtension('dns-integration');
  await prepareGuest(request.kind, lab.say, lab.cacheFolder);
  const self = await showProcess(process.pid);
  let instance: Instance = {
    version: 1,
    id: await freeId(),
    name: request.name,
    kind: request.kind,
    url: neutron.url,
    host,
    createdAt: new Date().toISOString(),
    stage: 'making',
    maker: { pid: process.pid, startTime: self?.startTime ?? 0 },
    nics: [],
  };
  const record = async (change: Partial<Instance>) => {
    instance = { ...instance, ...change };
    await store.save(instance);
  };
  const folder = store.folder(instance.id);
  // From here on, everything created can be found by the machine's id, even after kill -9.
  await store.create(instance);
  try {
    const projects = new Set<string>();
    for (const [i, network] of networks.entries()) {
      limits.signal?.throwIfAborted();
      const nic = `eth${i}`;
      const fixedIp = request.nics[i]?.fixedIp;
      const options = { machine: instance, network, host, named, ...(fixedIp === undefined ? {} : { fixedIp }) };
      const port = await neutron.createPort(portRequest(options));
      projects.add(port.tenant_id ?? '');
      await record({ nics: [...instance.nics, await nicOf(nic, port, network, neutron)] });
      lab.say(
        `${nic} on ${printable(network.name) || network.id}: port ${port.id}, ${port.mac_address}, ${addressesOf(port)}`,
      );
      if (port['binding:vif_type'] === 'binding_failed') {
        throw new LabFailure(
          `port ${port.id} cannot be bound to host ${host}: no live L2 agent of that host serves the network`,
        );
      }
    }
    await describe(instance, projects, request.metadata ?? { userData: null, publicKeys: {} }, neutron);
    await writeFile(join(folder, 'libvirt.xml'), libvirtXml(instance));
    const guest = guestOf(instance.kind, { ...instance, folder }, lab.cacheFolder);
    await guest.plug();
    const plugged = performance.now();
    await waitForActive(instance, neutron, limits);
    const devices = instance.nics.map(({ device }) => device).join(', ');
    lab.say(`plugged ${devices}; ACTIVE ${Math.round(performance.now() - plugged)} ms later`);

    const exchange = await watchExchange(instance.nics, lab.exchangeLog, watch);
    try {
      await guest.start();
      await record({ stage: 'ready' });
      const nics = await Promise.all(instance.nics.map((nic) => reportNic(nic, guest, limits)));
      const right = nics.every((nic) => nic.right);
      return { instance, folder, nics, exchange: await exchange.stop(), right };
    } finally {
      await exchange.stop();
    }
  } catch (error) {
    // Ctrl-C also reaches the commands of this process, so that their end is not the cause.
    const cause = limits.signal?.aborted ? limits.signal.reason : error;
    await removeAfter(cause, instance, lab);
    throw cause;
  }
}

/** Removes what a failed boot has created. If that fails as well, throws both reasons and how to complete it. */
async function removeAfter(error: unknown, instance: Instance, lab: Lab): Promise<void> {
  try {
    await removeMachine({ id: instance.id, folder: lab.store.folder(instance.id), instance }, lab);
  } catch (second) {
    const [first, then] = [error, second].map((one) => (one instanceof Error ? one.message : String(one)));
    throw new LabFailure(`${first}; and not everything could be removed (${then}): neutrino vm delete ${instance.id}`, {
      cause: error,
    });
  }
}

function addressesOf(port: PortDocument): string {
  return port.fixed_ips.map(({ ip_address }) => ip_address).join(' ') || 'no address';
}
