import type { Logger } from 'pino';
import type { Config } from '../../config/options.ts';
import { dhcpDeviceId } from '../../net/dhcp-device-id.ts';
import type { RpcTransport } from '../../rpc/contract.ts';
import { topicEndpoint } from '../../rpc/topic.ts';
import { DHCP_AGENT_TOPIC } from '../../rpc/topics/dhcp-agent.ts';
import type { AgentState } from '../../rpc/topics/reports.ts';
import { backoffDelay } from '../../time/backoff.ts';
import { pause } from '../../time/pause.ts';
import { waitFor } from '../../time/wait.ts';
import { type Heartbeat, type RunningAgent, startHeartbeat } from '../common/heartbeat.ts';
import { KeyedQueue } from '../common/keyed-queue.ts';
import type { DhcpDriver } from './contract.ts';
import { DelayQueue } from './delay-queue.ts';
import { type DhcpDevices, dhcpDevices } from './devices.ts';
import { FullSync } from './full-sync.ts';
import { NetworkCache } from './network-cache.ts';
import { NetworkSync } from './network-sync.ts';
import { notificationHandlers } from './notifications.ts';
import { type PluginClient, pluginClient } from './plugin-client.ts';
import { ReadyPorts } from './ready-ports.ts';
import { RecentIds } from './recent-ids.ts';
import { Reconciler } from './reconciler.ts';

/** Maximum number of removed networks to remember, more than late messages can refer to. */
const MAX_DISMISSED = 10_000;
/** Priority of the passes of a full sync: after those of notifications (0 to 6). */
const SYNC_PRIORITY = 10;
const DEATH_PRIORITY = 0;
/** Priority of changed ports that were collected: they have waited. */
const RESTED_PRIORITY = 1;
/** Maximum pause between two attempts for one network. */
const MAX_RETRY_MS = 60_000;
/** A server that ran this long is not in a crash loop. */
const STEADY_MS = 60_000;
/**
 * How long to wait for more when something happened to the agent's own port; a server deletes port, subnet and network in a
 * row.
 */
const HOLD_MS = 1_000;
/**
 * For this long after a full sync (at the start, or after messages were lost) the agent may not know about recent deletions,
 * and older messages may still arrive, late or twice: new ports are checked again after this delay.
 */
const YOUNG_MS = 60_000;
const DOUBT_MS = 2_000;
/** How long the first sync waits for the reply to the first report, because a server returns networks only to known agents. */
const FIRST_REPORT_MS = 5_000;
/** How long `close` waits for running passes. */
const CLOSE_MS = 10_000;

export interface DhcpAgentOptions {
  readonly config: Config;
  readonly transport: RpcTransport;
  readonly driver: DhcpDriver;
  readonly log: Logger;
  /** How namespaces and devices are created; default: by iproute2. */
  readonly devices?: DhcpDevices;
}

/**
 * Starts a DHCP agent: a reconciler that serves the networks scheduled to it. Resolves when it receives notifications; the
 * first sync follows automatically and is retried until it succeeds. `close` leaves DHCP servers and devices running. The
 * caller closes transport, driver and `devices`.
 */
export async function startDhcpAgent(options: DhcpAgentOptions): Promise<RunningAgent> {
  const { config, log } = options;
  const devices = options.devices ?? (await dhcpDevices({ config, log }));
  const agent = new DhcpAgent({ ...options, devices });
  const closeDevices = async () => {
    if (!options.devices) await devices.close();
  };
  try {
    await agent.start();
  } catch (error) {
    await agent.close();
    await closeDevices();
    throw error;
  }
  return {
    reported: agent.reported,
    close: async () => {
      await agent.close();
      await closeDevices();
    },
  };
}

class DhcpAgent {
  readonly #options: DhcpAgentOptions & { readonly devices: DhcpDevices };
  readonly #plugin: PluginClient;
  readonly #cache = new NetworkCache();
  readonly #dismissed = new RecentIds(MAX_DISMISSED);
  readonly #ready: ReadyPorts;
  readonly #reconciler: Reconciler;
  readonly #queue: KeyedQueue;
  readonly #delayed: DelayQueue;
  readonly #sync: NetworkSync;
  readonly #fullSync: FullSync;
  readonly #stop = new AbortController();
  /** Consecutive failures by network; healthy networks have no entry. */
  readonly #failures = new Map<string, number>();
  /** Networks whose changed ports are collected. */
  readonly #resting: DelayQueue;
  /** Networks with ports that may have been deleted. */
  readonly #doubts: DelayQueue;
  readonly #deaths = new Map<string, { readonly count: number; readonly at: number }>();
  #heartbeat: Heartbeat | undefined;
  #endpoint: { close(): Promise<void> } | undefined;

  constructor(options: DhcpAgentOptions & { readonly devices: DhcpDevices }) {
    this.#options = options;
    const { config, transport, driver, devices, log } = options;
    const { host } = config.DEFAULT;
    this.#plugin = pluginClient(transport, host);
    this.#ready = new ReadyPorts((portIds) => this.#plugin.dhcpReadyOnPorts(portIds), log);
    this.#reconciler = new Reconciler({
      host,
      metadata: config.DEFAULT.enable_isolated_metadata || config.DEFAULT.force_metadata,
      plugin: this.#plugin,
      cache: this.#cache,
      devices,
      driver,
      onReady: (portIds) => this.#ready.add(portIds),
      log,
    });
    this.#queue = new KeyedQueue({
      workers: config.DEFAULT.num_sync_threads,
      work: (networkId) => this.#pass(networkId),
      onError: (networkId, error) => this.#failed(networkId, error),
    });
    this.#delayed = new DelayQueue((networkId, reason) => {
      if (!this.#reconciler.has(networkId)) return;
      log.info({ ...this.#cache.label(networkId), reason }, 'checking a network again');
      this.#reconciler.resume(networkId);
      this.#queue.add(networkId, DEATH_PRIORITY);
    });
    this.#resting = new DelayQueue((networkId) => this.#queue.add(networkId, RESTED_PRIORITY));
    this.#doubts = new DelayQueue((networkId) => {
      if (this.#reconciler.since(networkId) === undefined) return;
      this.#reconciler.refetch(networkId);
      this.#queue.add(networkId, SYNC_PRIORITY);
    });
    this.#sync = new NetworkSync({
      plugin: this.#plugin,
      cache: this.#cache,
      reconciler: this.#reconciler,
      dismissed: this.#dismissed,
      driver,
      devices,
      queue: (networkId) => this.#queue.add(networkId, SYNC_PRIORITY),
      failed: () => this.#failures.size,
      stop: this.#stop.signal,
      log,
    });
    this.#fullSync = new FullSync({
      sync: (reasons) => this.#sync.run(reasons),
      throttleMs: config.DEFAULT.resync_throttle * 1_000,
      log,
    });
  }

  async start(): Promise<void> {
    const { config, transport, driver, devices } = this.#options;
    const { host } = config.DEFAULT;
    driver.onDeath((networkId) => this.#died(networkId));
    devices.onLost((networkId) => {
      this.#reconciler.recheck(networkId);
      this.#delayed.put(networkId, 0, 'its device vanished');
    });
    const handlers = notificationHandlers({
      cache: this.#cache,
      reconciler: this.#reconciler,
      dismissed: this.#dismissed,
      queue: (networkId, priority) => this.#queue.add(networkId, priority),
      hold: (networkId, reason) => {
        this.#reconciler.hold(networkId);
        this.#delayed.put(networkId, HOLD_MS, reason);
      },
      onNewPort: (networkId) => {
        if (this.#sync.age > YOUNG_MS) return;
        this.#doubts.put(networkId, DOUBT_MS, 'its new port may be outdated');
      },
      onPortDeleted: (portId) => this.#ready.forget(portId),
      onAgentUpdated: (up) => this.#fullSync.request(`the agent was switched ${up ? 'on' : 'off'}`),
      ownDeviceId: (networkId) => dhcpDeviceId(host, networkId),
    });
    const onGap = () => this.#fullSync.request('notifications were lost with the broker');
    const endpoint = topicEndpoint(DHCP_AGENT_TOPIC, handlers);
    this.#endpoint = await transport.serve(DHCP_AGENT_TOPIC.topic, host, endpoint, onGap);
    this.#heartbeat = startHeartbeat({
      transport,
      intervalMs: config.agent.report_interval * 1_000,
      state: () => this.#report(),
      log: this.#options.log,
      onRevived: () => this.#fullSync.request('the server considered the agent dead'),
      onRecovered: () => this.#fullSync.request('the server was unreachable'),
    });
    void Promise.race([this.#heartbeat.first, pause(FIRST_REPORT_MS, this.#stop.signal)]).then(() => {
      this.#fullSync.request('the agent started');
    });
  }

  get reported(): Promise<void> {
    return this.#heartbeat?.first ?? Promise.resolve();
  }

  async close(): Promise<void> {
    this.#stop.abort();
    this.#heartbeat?.close();
    this.#fullSync.close();
    this.#delayed.close();
    this.#resting.close();
    this.#doubts.close();
    this.#ready.close();
    await this.#endpoint?.close();
    await waitFor('the end of the passes that run', this.#queue.close(), CLOSE_MS).catch((error: unknown) => {
      this.#options.log.warn({ err: error }, 'the DHCP agent stops with unfinished work; the next start completes it');
    });
  }

  async #pass(networkId: string): Promise<void> {
    const restMs = this.#reconciler.restMs(networkId);
    if (restMs > 0) {
      // Not in a pass, which would keep other networks waiting.
      this.#resting.put(networkId, restMs, 'its changed ports are collected');
      return;
    }
    try {
      await this.#reconciler.pass(networkId);
      this.#failures.delete(networkId);
      if (this.#reconciler.since(networkId) === undefined) this.#deaths.delete(networkId);
    } finally {
      this.#sync.passed(networkId);
    }
  }

  #failed(networkId: string, error: unknown): void {
    if (this.#stop.signal.aborted) return;
    const failures = (this.#failures.get(networkId) ?? 0) + 1;
    this.#failures.set(networkId, failures);
    const firstMs = this.#options.config.DEFAULT.resync_interval * 1_000;
    const retryMs = backoffDelay(failures, { firstMs, maxMs: Math.max(firstMs, MAX_RETRY_MS) });
    this.#options.log.warn(
      { err: error, ...this.#cache.label(networkId), failures, retryMs },
      'cannot bring a network to its desired state',
    );
    if (this.#reconciler.since(networkId) !== undefined) this.#reconciler.refetch(networkId);
    this.#delayed.put(networkId, retryMs, error instanceof Error ? error.message : String(error));
  }

  /** Restarts a server that died: at once, or with backoff if it keeps dying. */
  #died(networkId: string): void {
    if (this.#stop.signal.aborted || !this.#reconciler.isPresent(networkId)) return;
    this.#reconciler.serveWhole(networkId);
    const before = this.#deaths.get(networkId);
    const now = performance.now();
    const count = before && now - before.at < STEADY_MS ? before.count + 1 : 1;
    this.#deaths.set(networkId, { count, at: now });
    const delayMs = count === 1 ? 0 : backoffDelay(count - 1, { firstMs: 500, maxMs: MAX_RETRY_MS });
    this.#options.log.warn(
      { ...this.#cache.label(networkId), count, delayMs },
      "a network's DHCP server or metadata proxy died",
    );
    this.#delayed.put(networkId, delayMs, 'its DHCP server or metadata proxy died');
  }

  #report(): AgentState {
    const { config } = this.#options;
    const { host, dhcp_driver, dhcp_lease_duration } = config.DEFAULT;
    return {
      binary: 'neutron-dhcp-agent',
      host,
      availability_zone: config.agent.availability_zone,
      topic: DHCP_AGENT_TOPIC.topic,
      agent_type: 'DHCP agent',
      configurations: { dhcp_driver, dhcp_lease_duration, log_agent_heartbeats: false, ...this.#cache.counts() },
    };
  }
}
