import type { Logger } from 'pino';
import type { InNamespace } from '../../linux/ip.ts';
import { tapName } from '../../net/device-names.ts';
import type { RpcTransport } from '../../rpc/contract.ts';
import { type Heartbeat, type RunningAgent, startHeartbeat } from '../common/heartbeat.ts';
import type { Firewall } from '../firewall/contract.ts';
import type { FirewallKind } from '../firewall/drivers/kind.ts';
import type { L2Driver } from './contract.ts';
import type { L2Config, L2DriverKind } from './drivers/kind.ts';
import { HostDevices } from './host-devices.ts';
import { serveNotifications } from './notifications.ts';
import { Reconciler } from './reconciler.ts';

/** Delay between lost notifications and a full check, so that losses on several topics cause only one check. */
const GAP_MS = 200;
/** Interval at which filters are compared with what they should be. */
const CHECK_MS = 30_000;

interface L2AgentOptions extends InNamespace {
  readonly config: L2Config;
  readonly driver: L2DriverKind;
  readonly firewall: FirewallKind;
  readonly transport: RpcTransport;
  readonly log: Logger;
}

/**
 * Starts the L2 agent of this host (or of `namespace`, which then is the host). Devices named after a port are connected to
 * their network as they appear, and are reported to the server. Resolves when the host's devices are watched; throws when they
 * cannot be (no `ip`, no rights), or when the driver rejects the configuration. `close` leaves all devices as they are.
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
  readonly #devices: HostDevices;
  readonly #driver: L2Driver;
  readonly #firewall: Firewall;
  readonly #reconciler: Reconciler;
  #notifications: { close(): Promise<void> } | undefined;
  #heartbeat: Heartbeat | undefined;
  #resyncTimer: NodeJS.Timeout | undefined;
  #checkTimer: NodeJS.Timeout | undefined;

  constructor(options: L2AgentOptions) {
    const { config, driver, firewall, transport, namespace, log } = options;
    const { host } = config.DEFAULT;
    const where = namespace === undefined ? {} : { namespace };
    this.#options = options;
    this.#devices = new HostDevices(where, log);
    this.#firewall = firewall.create({ where, log });
    const { bridgeOptions } = this.#firewall;
    this.#driver = driver.create({ config, links: () => this.#devices.links(), where, log, bridgeOptions });
    this.#reconciler = new Reconciler({
      transport,
      identity: { agent_id: driver.agentId(host), host },
      devices: this.#devices,
      driver: this.#driver,
      firewall: this.#firewall,
      log,
    });
  }

  async start(): Promise<void> {
    const { config, driver, transport, log } = this.#options;
    const { host } = config.DEFAULT;
    const reconciler = this.#reconciler;
    this.#notifications = await serveNotifications(transport, host, {
      portUpdated: (port) => reconciler.portChanged(tapName(port.id), port),
      portDeleted: (portId) => reconciler.portChanged(tapName(portId)),
      networkUpdated: (networkId) => reconciler.networkChanged(networkId),
      networkDeleted: (networkId) => reconciler.networkDeleted(networkId),
      securityGroupRulesChanged: (groups) => reconciler.securityGroupRulesChanged(groups),
      securityGroupMembersChanged: (groups) => reconciler.securityGroupMembersChanged(groups),
      // Called for each topic, one right after the other.
      lost: () => {
        clearTimeout(this.#resyncTimer);
        this.#resyncTimer = setTimeout(() => reconciler.resync(), GAP_MS);
      },
    });
    await this.#devices.watch(this.#driver, {
      due: (name) => reconciler.due(name),
      vanished: (name, device) => reconciler.vanished(name, device),
      linkRemoved: (name) => reconciler.linkRemoved(name),
      looked: () => reconciler.retryRemovals(),
    });
    this.#heartbeat = startHeartbeat({
      transport,
      intervalMs: config.agent.report_interval * 1000,
      log,
      state: () => ({
        ...driver.agent,
        host,
        topic: 'N/A',
        configurations: { extensions: [], ...driver.configurations(config), devices: this.#devicesUp() },
      }),
      onRevived: () => reconciler.resync(),
      onRecovered: () => reconciler.resync(),
    });
    reconciler.start();
    if (this.#firewall.filters) this.#checkTimer = setInterval(() => reconciler.checkFilters(), CHECK_MS).unref();
  }

  get reported(): Promise<void> {
    return this.#heartbeat?.first ?? Promise.resolve();
  }

  async close(): Promise<void> {
    this.#heartbeat?.close();
    clearTimeout(this.#resyncTimer);
    clearInterval(this.#checkTimer);
    await Promise.all([this.#notifications?.close(), this.#devices.close(), this.#reconciler.close()]);
    await Promise.all([this.#driver.close(), this.#firewall.close()]);
  }

  #devicesUp(): number {
    return [...this.#devices.known.values()].filter(({ reported }) => reported === 'up').length;
  }
}
