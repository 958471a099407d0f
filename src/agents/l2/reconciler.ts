import type { Logger } from 'pino';
import type { RpcTransport } from '../../rpc/contract.ts';
import type { PortDocument } from '../../rpc/documents.ts';
import { topicClient } from '../../rpc/topic.ts';
import { type DeviceDetails, PLUGIN_TOPIC } from '../../rpc/topics/plugin.ts';
import type { Firewall } from '../firewall/contract.ts';
import type { L2Driver, WiringOutcome } from './contract.ts';
import { DeletedNetworks } from './deleted-networks.ts';
import type { Device } from './devices.ts';
import { Filters } from './filters.ts';
import type { HostDevices } from './host-devices.ts';
import { PendingDevices } from './pending-devices.ts';
import { DeviceReports, type DeviceState } from './reports.ts';

/** Maximum number of devices per call; a stock server takes about a millisecond of database time for each. */
const MAX_PER_CALL = 100;

export interface ReconcilerOptions {
  readonly transport: RpcTransport;
  /** What this agent calls itself in calls to the server. */
  readonly identity: { readonly agent_id: string; readonly host: string };
  readonly devices: HostDevices;
  readonly driver: L2Driver;
  readonly firewall: Firewall;
  readonly log: Logger;
}

/**
 * Brings the devices of this host to the state requested by the server, and reports them: requests the details of due devices, up
 * to a hundred in one call, then sets their filters and wires them. One pass at a time.
 */
export class Reconciler {
  readonly #options: ReconcilerOptions;
  readonly #plugin;
  readonly #pending = new PendingDevices(() => this.#kick());
  readonly #reports: DeviceReports;
  readonly #deleted: DeletedNetworks;
  readonly #filters: Filters;
  #tidy = false;
  #busy = false;
  /** What is being done to the host right now; `close` waits for it. */
  #touching: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(options: ReconcilerOptions) {
    this.#options = options;
    const { transport, identity, driver, firewall, log } = options;
    const plugin = topicClient(transport, PLUGIN_TOPIC);
    this.#plugin = plugin;
    this.#deleted = new DeletedNetworks(driver, log);
    const infoFor = (devices: readonly string[]) =>
      plugin.call('security_group_info_for_devices', { devices, call_version: '1.3' });
    this.#filters = new Filters({ firewall, log, infoFor });
    this.#reports = new DeviceReports((device, state) => {
      const args = { device, ...identity };
      return state === 'up' ? plugin.call('update_device_up', args) : plugin.call('update_device_down', args);
    }, log);
  }

  /** Looks for networks that were deleted meanwhile, and begins with the devices that are due. */
  start(): void {
    void this.#findOrphans();
    this.#kick();
  }

  /** Requests a pass over a device of the host. */
  due(name: string): void {
    this.#pending.now(name);
  }

  vanished(name: string, device: Device): void {
    this.#pending.drop(name);
    this.#filters.drop(name);
    this.#kick();
    if (device.reported !== undefined) this.#reports.report(name, 'down');
  }

  /** Any device has disappeared from the host. */
  linkRemoved(name: string): void {
    this.#options.driver.vanished(name);
    this.retryRemovals();
  }

  /** The port of a device may have changed. */
  portChanged(name: string, port?: Pick<PortDocument, 'status' | 'name'>): void {
    const device = this.#options.devices.known.get(name);
    if (!device) return;
    if (port?.name) device.portName = port.name;
    // The change may have set the port down, so the device must be reported as up again.
    if (port && port.status !== 'ACTIVE') delete device.reported;
    this.#pending.now(name);
  }

  networkChanged(networkId: string): void {
    for (const [name, { details }] of this.#options.devices.known) {
      if (details?.network_id === networkId) this.#pending.now(name);
    }
  }

  networkDeleted(networkId: string): void {
    this.#deleted.add(networkId);
    this.#tidySoon();
  }

  /** Tries again to remove networks that were deleted, if there are any. */
  retryRemovals(): void {
    if (this.#deleted.size > 0) this.#tidySoon();
  }

  securityGroupRulesChanged(groups: readonly string[]): void {
    if (this.#filters.rulesChanged(groups)) this.#kick();
  }

  securityGroupMembersChanged(groups: readonly string[]): void {
    if (this.#filters.membersChanged(groups)) this.#kick();
  }

  /** Compares the filters of devices with what they should be. */
  checkFilters(): void {
    this.#filters.check();
    this.#kick();
  }

  /** Messages of the server may be lost, and reports to it too. */
  resync(): void {
    for (const [name, device] of this.#options.devices.known) {
      delete device.reported;
      this.#pending.now(name);
    }
    void this.#findOrphans();
  }

  /** Resolves when nothing is being done to the host any more. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#pending.close();
    this.#reports.close();
    await this.#touching.catch(() => undefined);
  }

  #tidySoon(): void {
    this.#tidy = true;
    this.#kick();
  }

  #kick(): void {
    if (this.#busy || this.#closed || !this.#options.devices.isComplete) return;
    this.#busy = true;
    void this.#workOff();
  }

  async #workOff(): Promise<void> {
    // Deferred, so that devices made due by the same events or code share one call.
    await Promise.resolve();
    while (!this.#closed) {
      // Before filters are set again for devices that have reappeared with the same names.
      await this.#touch(this.#filters.removeDropped());
      const names = this.#pending.take(MAX_PER_CALL);
      if (names.length === 0 && !this.#tidy && !this.#filters.hasWork) break;
      await this.#refreshFilters();
      try {
        if (names.length > 0) await this.#pass(names);
      } catch (error) {
        const { devices, log } = this.#options;
        log.warn({ err: error, devices: names.length }, 'cannot wire devices; retrying');
        for (const name of names) if (devices.known.has(name)) this.#pending.later(name);
      }
      if (this.#tidy && !this.#closed) {
        this.#tidy = false;
        await this.#seek((exists) => this.#deleted.recheck(exists));
        await this.#touch(this.#deleted.remove());
      }
    }
    this.#busy = false;
  }

  /** What fails is tried again in a while, together with what is due by then. */
  async #refreshFilters(): Promise<void> {
    if (!this.#filters.hasWork) return;
    try {
      await this.#touch(this.#filters.refresh());
    } catch (error) {
      const { devices, log } = this.#options;
      log.warn({ err: error }, 'cannot change filters; retrying');
      // A pass over the devices asks for their groups again.
      for (const name of devices.known.keys()) this.#pending.later(name);
      this.#filters.forgetChanges();
    }
  }

  async #pass(names: readonly string[]): Promise<void> {
    const { devices, driver, identity } = this.#options;
    const requested = new Map(names.map((name) => [name, devices.known.get(name)]));
    const answer = await this.#plugin.call('get_devices_details_list', { devices: names, ...identity });
    if (this.#closed) return;
    const byName = new Map(answer.map((details) => [details.device, details]));
    const known: DeviceDetails[] = [];
    for (const [name, device] of requested) {
      // Disappeared meanwhile; a new device with the same name is due on its own.
      if (!device || devices.known.get(name) !== device) continue;
      const details = byName.get(name);
      if (details?.port_id === undefined) await this.#unknown(name, device);
      else {
        known.push(details);
        if (details.network_id !== undefined) this.#deleted.exists(details.network_id);
      }
    }
    const unfiltered = await this.#touch(this.#filters.hold(known));
    const outcomes = await this.#touch(driver.wire(known.filter(({ device }) => !unfiltered.has(device))));
    for (const details of known) {
      const { device: name } = details;
      const device = requested.get(name);
      if (!device || devices.known.get(name) !== device) continue;
      const refusal = unfiltered.get(name);
      if (refusal && device.details) await this.#touch(driver.cutOff(name));
      this.#settle(device, details, refusal ?? outcomes.get(name) ?? 'gone');
    }
  }

  /** The server has no such port (yet): leaves the device unchanged, unless it was wired for a port that has been deleted. */
  async #unknown(name: string, device: Device): Promise<void> {
    if (device.details) {
      this.#options.log.info(label(device, device.details), 'device unplugged: its port was deleted');
      delete device.details;
      delete device.reported;
      await this.#touch(this.#options.driver.cutOff(name));
      this.#filters.drop(name);
    }
    this.#pending.later(name);
  }

  #settle(device: Device, details: DeviceDetails, outcome: WiringOutcome): void {
    const name = details.device;
    if (outcome === 'gone') {
      // The event of its removal will follow.
      this.#pending.later(name);
    } else if (outcome instanceof Error) {
      const { message } = outcome;
      const level = device.problem === message ? 'debug' : 'warn';
      this.#options.log[level](label(device, details), `a device cannot be wired: ${message}`);
      device.problem = message;
      delete device.details;
      if (device.reported === 'up') this.#report(name, device, 'down');
      this.#pending.later(name);
    } else {
      device.details = details;
      delete device.problem;
      this.#pending.done(name);
      this.#report(name, device, outcome === 'plugged' ? 'up' : 'down');
    }
  }

  #report(name: string, device: Device, state: DeviceState): void {
    if (device.reported === state) return;
    device.reported = state;
    this.#reports.report(name, state);
  }

  async #touch<T>(doing: Promise<T>): Promise<T> {
    this.#touching = doing;
    return doing;
  }

  async #findOrphans(): Promise<void> {
    await this.#seek((exists) => this.#deleted.findOrphans(exists));
    this.retryRemovals();
  }

  /** Looks for deleted networks, as far as the server answers. */
  async #seek(look: (exists: (networkId: string) => Promise<boolean>) => Promise<void>): Promise<void> {
    const { host } = this.#options.identity;
    try {
      await look(async (id) => (await this.#plugin.call('get_network_info', { network_id: id, host })) !== null);
    } catch (error) {
      if (!this.#closed) this.#options.log.warn({ err: error }, 'cannot check this host for deleted networks');
    }
  }
}

/** Returns a device and its port as logs carry them. */
const label = ({ portName }: Device, { device, port_id: port, network_id: network }: DeviceDetails) => ({
  device,
  port,
  ...(portName === undefined ? {} : { port_name: portName }),
  network,
});
