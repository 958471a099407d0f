import { createHash } from 'node:crypto';
import type { Logger } from 'pino';
import type { Config } from '../../config/options.ts';
import type { InNamespace } from '../../linux/ip.ts';
import { type LinkEvent, type LinkMonitor, startLinkMonitor } from '../../linux/link-monitor.ts';
import { listLinks } from '../../linux/links.ts';
import type { RpcTransport } from '../../rpc/contract.ts';
import { topicClient } from '../../rpc/topic.ts';
import { type DeviceDetails, PLUGIN_TOPIC } from '../../rpc/topics/plugin.ts';
import { type Heartbeat, type RunningAgent, startHeartbeat } from '../common/heartbeat.ts';
import { agentState } from './agent-state.ts';
import { Backlog } from './backlog.ts';
import { DeletedNetworks } from './deleted-networks.ts';
import { compareWithHost, type Device, isAsWired } from './devices.ts';
import { agentMark, BRIDGE_NAME, TAP_NAME, tapName } from './names.ts';
import { serveNotifications } from './notifications.ts';
import { DeviceReports, type DeviceState } from './reports.ts';
import { hostSegments } from './segment.ts';
import { type Outcome, Wiring } from './wiring.ts';

export interface L2AgentOptions extends InNamespace {
  readonly config: Pick<Config, 'DEFAULT' | 'agent' | 'linux_bridge' | 'vxlan'>;
  readonly transport: RpcTransport;
  readonly log: Logger;
}

/** Devices asked about in one call at most; a stock server takes about a millisecond of database time for each. */
const MAX_PER_CALL = 100;
/** From lost notifications to asking anew, so that what is lost of several topics is asked for once. */
const GAP_MS = 200;
/** Between full looks at the host's devices, for events that the kernel dropped. */
const LOOK_MS = 60_000;
/** From an event that does not fit to a look: most are steps of what is being done right now. */
const LOOK_SOON_MS = 1_000;

/**
 * Starts the Linux bridge agent of this host (or of `namespace`, which then is the host). Devices named after a port are plugged
 * into their network's bridge as they appear, and the server is told. Resolves when the host's devices are watched; throws
 * when they cannot be (no `ip`, no rights), or a mapping in the configuration is wrong. `close` leaves all devices as they are.
 */
export async function startL2Agent(options: L2AgentOptions): Promise<RunningAgent> {
  const agent = new L2Agent(options);
  try {
    await agent.start();
  } catch (error) {
    await agent.close();
    throw error;
  }
  return agent;
}

class L2Agent {
  readonly #options: L2AgentOptions;
  readonly #where: InNamespace;
  readonly #log: Logger;
  readonly #plugin;
  readonly #wiring: Wiring;
  readonly #reports: DeviceReports;
  readonly #backlog = new Backlog(() => this.#kick());
  readonly #devices = new Map<string, Device>();
  readonly #deleted: DeletedNetworks;
  readonly #identity: { readonly agent_id: string; readonly host: string };
  readonly #open: { close(): unknown }[] = [];
  #monitor: LinkMonitor | undefined;
  #heartbeat: Heartbeat | undefined;
  #lookTimer: NodeJS.Timeout | undefined;
  #resyncTimer: NodeJS.Timeout | undefined;
  #lookAt = Number.POSITIVE_INFINITY;
  #tidy = false;
  #busy = false;
  /** What is being done to the host right now; `close` waits for it. */
  #touching: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(options: L2AgentOptions) {
    const { config, transport, namespace } = options;
    const { host } = config.DEFAULT;
    this.#options = options;
    this.#where = namespace === undefined ? {} : { namespace };
    this.#log = options.log;
    this.#plugin = topicClient(transport, PLUGIN_TOPIC);
    const mark = agentMark(config.DEFAULT);
    this.#wiring = new Wiring(() => this.#monitor?.links() ?? new Map(), hostSegments(config), mark, this.#where);
    this.#deleted = new DeletedNetworks(this.#wiring, mark, this.#where, options.log);
    // Stock agents are `lb` and the MAC of a device; servers only log it.
    this.#identity = { agent_id: `lb${createHash('sha1').update(host).digest('hex').slice(0, 12)}`, host };
    this.#reports = new DeviceReports((device, state) => {
      const args = { device, ...this.#identity };
      return state === 'up'
        ? this.#plugin.call('update_device_up', args)
        : this.#plugin.call('update_device_down', args);
    }, this.#log);
  }

  async start(): Promise<void> {
    const { config, transport } = this.#options;
    this.#open.push(
      await serveNotifications(transport, config.DEFAULT.host, {
        portUpdated: (port) => {
          // Whoever changed the port may have set it down: it has to hear again that the device is up.
          const device = this.#devices.get(tapName(port.id));
          if (device && port.status !== 'ACTIVE') delete device.told;
          this.#ask(tapName(port.id));
        },
        portDeleted: (portId) => this.#ask(tapName(portId)),
        networkUpdated: (networkId) => {
          for (const [name, { details }] of this.#devices) if (details?.network_id === networkId) this.#ask(name);
        },
        networkDeleted: (networkId) => {
          this.#deleted.add(networkId);
          this.#tidySoon();
        },
        // Told for each topic, one right after the other.
        lost: () => {
          clearTimeout(this.#resyncTimer);
          this.#resyncTimer = setTimeout(() => this.#resync(), GAP_MS);
        },
      }),
    );
    this.#monitor = await startLinkMonitor({ ...this.#where, log: this.#log, onEvent: (event) => this.#hear(event) });
    this.#open.push(this.#monitor);
    this.#heartbeat = startHeartbeat({
      transport,
      intervalMs: config.agent.report_interval * 1000,
      log: this.#log,
      state: () => agentState(config, [...this.#devices.values()].filter(({ told }) => told === 'up').length),
      onRevived: () => this.#resync(),
      onRecovered: () => this.#resync(),
    });
    this.#lookIn(LOOK_MS);
    void this.#findOrphans();
    this.#kick();
  }

  get reported(): Promise<void> {
    return this.#heartbeat?.first ?? Promise.resolve();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#heartbeat?.close();
    this.#backlog.close();
    this.#reports.close();
    clearTimeout(this.#lookTimer);
    clearTimeout(this.#resyncTimer);
    await Promise.all(this.#open.splice(0).map((part) => part.close()));
    await this.#touching.catch(() => undefined);
  }

  #hear({ kind, link }: LinkEvent): void {
    const { name, index } = link;
    if (kind === 'removed') {
      if (BRIDGE_NAME.test(name)) this.#wiring.forget(name);
      if (this.#devices.get(name)?.index === index) this.#vanished(name);
      if (this.#deleted.size > 0) this.#tidySoon();
    } else if (TAP_NAME.test(name)) {
      const device = this.#devices.get(name);
      if (device?.index !== index) this.#appeared(name, index);
      else if (!isAsWired(device, link)) this.#lookIn(LOOK_SOON_MS);
    }
  }

  #appeared(name: string, index: number): void {
    this.#devices.set(name, { index });
    this.#backlog.now(name);
  }

  #vanished(name: string): void {
    const device = this.#devices.get(name);
    this.#devices.delete(name);
    this.#backlog.drop(name);
    if (device?.told !== undefined) this.#reports.tell(name, 'down');
  }

  /** Wants the server asked about a device, if it is here. */
  #ask(name: string): void {
    if (this.#devices.has(name)) this.#backlog.now(name);
  }

  #tidySoon(): void {
    this.#tidy = true;
    this.#kick();
  }

  /** What the server told lately may be lost, and what it was told too. */
  #resync(): void {
    for (const [name, device] of this.#devices) {
      delete device.told;
      this.#backlog.now(name);
    }
    void this.#findOrphans();
  }

  #kick(): void {
    // Before the monitor has its first list, nothing can be said of what is there.
    if (this.#busy || this.#closed || !this.#monitor) return;
    this.#busy = true;
    void this.#workOff();
  }

  async #workOff(): Promise<void> {
    // What one chunk of events, or one stretch of code, makes due is asked in one call.
    await Promise.resolve();
    while (!this.#closed) {
      const names = this.#backlog.take(MAX_PER_CALL);
      if (names.length === 0 && !this.#tidy) break;
      try {
        if (names.length > 0) await this.#pass(names);
      } catch (error) {
        this.#log.warn({ err: error, devices: names.length }, 'devices cannot be wired; trying again');
        for (const name of names) if (this.#devices.has(name)) this.#backlog.later(name);
      }
      if (this.#tidy && !this.#closed) {
        this.#tidy = false;
        await this.#seek((exists) => this.#deleted.recheck(exists));
        await this.#touch(this.#deleted.removeBridges());
      }
    }
    this.#busy = false;
  }

  async #pass(names: readonly string[]): Promise<void> {
    const asked = new Map(names.map((name) => [name, this.#devices.get(name)]));
    const answer = await this.#plugin.call('get_devices_details_list', { devices: names, ...this.#identity });
    if (this.#closed) return;
    const byName = new Map(answer.map((details) => [details.device, details]));
    const known: DeviceDetails[] = [];
    for (const [name, device] of asked) {
      // Gone meanwhile; one that has come back under the name is due by itself.
      if (!device || this.#devices.get(name) !== device) continue;
      const details = byName.get(name);
      if (details?.port_id === undefined) await this.#unknown(name, device);
      else {
        known.push(details);
        if (details.network_id !== undefined) this.#deleted.exists(details.network_id);
      }
    }
    const outcomes = await this.#touch(this.#wiring.wire(known));
    for (const details of known) {
      const device = asked.get(details.device);
      if (device && this.#devices.get(details.device) === device) {
        this.#settle(device, details, outcomes.get(details.device) ?? 'gone');
      }
    }
  }

  /** The server knows no such port (yet): leave the device alone, unless it was wired for a port that is gone now. */
  async #unknown(name: string, device: Device): Promise<void> {
    if (device.details) {
      this.#log.info(
        { device: name, network: device.details.network_id },
        'the port of a device is gone; it is unplugged',
      );
      delete device.details;
      delete device.told;
      await this.#touch(this.#wiring.cutOff(name));
    }
    this.#backlog.later(name);
  }

  #settle(device: Device, details: DeviceDetails, outcome: Outcome): void {
    const name = details.device;
    if (outcome === 'gone') {
      // The event that tells is on its way.
      this.#backlog.later(name);
    } else if (outcome instanceof Error) {
      const { message } = outcome;
      const level = device.problem === message ? 'debug' : 'warn';
      this.#log[level](
        { device: name, port: details.port_id, network: details.network_id },
        `a device cannot be wired: ${message}`,
      );
      device.problem = message;
      delete device.details;
      if (device.told === 'up') this.#tell(name, device, 'down');
      this.#backlog.later(name);
    } else {
      device.details = details;
      delete device.problem;
      this.#backlog.done(name);
      this.#tell(name, device, outcome === 'plugged' ? 'up' : 'down');
    }
  }

  #tell(name: string, device: Device, state: DeviceState): void {
    if (device.told === state) return;
    device.told = state;
    this.#reports.tell(name, state);
  }

  async #touch<T>(doing: Promise<T>): Promise<T> {
    this.#touching = doing;
    return doing;
  }

  async #findOrphans(): Promise<void> {
    await this.#seek((exists) => this.#deleted.findOrphans(exists));
    if (this.#deleted.size > 0) this.#tidySoon();
  }

  /** Has bridges of deleted networks looked for, as far as the server answers. */
  async #seek(look: (exists: (networkId: string) => Promise<boolean>) => Promise<void>): Promise<void> {
    const { host } = this.#identity;
    try {
      await look(async (id) => (await this.#plugin.call('get_network_info', { network_id: id, host })) !== null);
    } catch (error) {
      if (!this.#closed) this.#log.warn({ err: error }, 'bridges of deleted networks cannot be looked for');
    }
  }

  #lookIn(ms: number): void {
    const at = performance.now() + ms;
    if (at >= this.#lookAt || this.#closed) return;
    clearTimeout(this.#lookTimer);
    this.#lookAt = at;
    this.#lookTimer = setTimeout(() => void this.#look(), ms);
  }

  /** Compares what is on the host with what is known, for all that no event told. */
  async #look(): Promise<void> {
    try {
      const before = new Map(this.#devices);
      const links = await listLinks(this.#where);
      if (this.#closed) return;
      const { vanished, appeared, changed } = compareWithHost(before, this.#devices, links);
      for (const name of vanished) this.#vanished(name);
      for (const { name, index } of appeared) this.#appeared(name, index);
      for (const name of changed) this.#backlog.now(name);
      if (this.#deleted.size > 0) this.#tidySoon();
    } catch (error) {
      this.#log.warn({ err: error }, 'the devices of this host cannot be listed');
    } finally {
      this.#lookAt = Number.POSITIVE_INFINITY;
      this.#lookIn(LOOK_MS);
    }
  }
}
