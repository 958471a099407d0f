import { chmod, mkdir, readdir, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Logger } from 'pino';
import type { Config } from '../../../../config/options.ts';
import { endProcess, isRunning } from '../../../../linux/processes.ts';
import { CommandFailed } from '../../../../linux/run.ts';
import { UUID } from '../../../../net/patterns.ts';
import { canonicalNetwork } from '../../answers/canonical.ts';
import type { Refusal } from '../../answers/refusals.ts';
import type { DhcpDriver } from '../../contract.ts';
import { isMissing } from '../../text-file.ts';
import type { PortChanges, WantedNetwork } from '../../wanted.ts';
import { type Left, leftStamps, passChange } from './change-pass.ts';
import { type Files, filesOf } from './command-line.ts';
import { ServerFinder } from './find-server.ts';
import { Reconciliation } from './reconcile.ts';
import { restMs } from './reload.ts';
import { ReloadThrottle } from './reload-throttle.ts';
import { type MovedAddresses, NetworkLines } from './render.ts';
import { isOpenToOthers, type ServerProcess } from './server-process.ts';
import { crashesOnReload, installedVersion } from './version.ts';
import { ServerWatch, type Watched } from './watch.ts';

/**
 * Maximum size of Neutrino's log of a network in bytes; the operator's (dnsmasq_base_log_dir) includes queries and may be
 * larger.
 */
const MAX_LOG_BYTES = 1024 * 1024;
const MAX_OPERATOR_LOG_BYTES = 64 * 1024 * 1024;

/** Cached state of a network between calls. All of it can be lost. */
interface Memory extends Watched {
  readonly throttle: ReloadThrottle;
  readonly left: Left;
}

/** The inputs with which a network was handed over, and the lines rendered from them. */
interface KnownNetwork extends Pick<WantedNetwork, 'namespace' | 'device'> {
  readonly lines: NetworkLines;
  readonly name: string | undefined;
}

/**
 * Serves each network with a separate dnsmasq in the network's namespace, with the same files in `<dhcp_confs>/<network>/` as
 * Neutron's driver: `host`, `addn_hosts`, `opts`, `leases`, `pid`, `interface`. In addition `log`, to which dnsmasq logs every
 * DISCOVER, OFFER, REQUEST and ACK (bounded: at 1 MiB it becomes `log.1`), and `loaded` (see loaded.ts).
 */
export function createDnsmasqDriver(parts: { readonly config: Config; readonly log: Logger }): DhcpDriver {
  return new DnsmasqDriver(parts.config, parts.log);
}

class DnsmasqDriver implements DhcpDriver {
  readonly #config: Config;
  readonly #log: Logger;
  readonly #finder = new ServerFinder();
  readonly #served = new Map<string, Memory>();
  readonly #networks = new Map<string, KnownNetwork>();
  /** Networks with a call in progress. */
  readonly #busy = new Set<string>();
  /** Values that were rejected in the last call for each network. */
  readonly #refused = new Map<string, ReadonlySet<string>>();
  readonly #listeners: ((networkId: string) => void)[] = [];
  readonly #closing = new AbortController();
  readonly #watch: ServerWatch;
  #crashes: Promise<boolean> | undefined;

  constructor(config: Config, log: Logger) {
    this.#config = config;
    this.#log = log;
    this.#watch = new ServerWatch(
      this.#served,
      (networkId) => this.#busy.has(networkId),
      (networkId) => this.#died(networkId),
      log,
    );
  }

  serve(network: WantedNetwork): Promise<void> {
    const info = canonicalNetwork(network.info);
    return this.#exclusively(info.id, async () => {
      const known = this.#networks.get(info.id);
      const { namespace, device, dhcpPortIds = [network.dhcpPortId] } = network;
      known?.lines.serve(info, dhcpPortIds);
      const lines = known?.lines ?? new NetworkLines(this.#config, info, dhcpPortIds);
      this.#networks.set(info.id, { lines, namespace, device, name: info.name });
      await this.#bring(info.id);
    });
  }

  portsChanged(networkId: string, changes: PortChanges): Promise<void> {
    return this.#exclusively(networkId, async () => {
      const known = this.#networks.get(networkId);
      if (!known) throw new Error(`network ${networkId}: ports changed before it was served`);
      await this.#bring(networkId, known.lines.change(changes));
    });
  }

  restMs(networkId: string): number {
    const served = this.#served.get(networkId);
    return served ? restMs(served.throttle, served.process) : 0;
  }

  stop(networkId: string): Promise<string | undefined> {
    return this.#exclusively(networkId, () => this.#stop(networkId, filesOf(networkId, this.#config.DEFAULT)));
  }

  async known(): Promise<readonly string[]> {
    try {
      const entries = await readdir(this.#config.DEFAULT.dhcp_confs, { withFileTypes: true });
      return entries.filter((entry) => entry.isDirectory() && UUID.test(entry.name)).map((entry) => entry.name);
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
  }

  onDeath(listener: (networkId: string) => void): void {
    this.#listeners.push(listener);
  }

  async close(): Promise<void> {
    this.#watch.close();
    this.#closing.abort();
  }

  #label(networkId: string): { readonly network: string; readonly name?: string } {
    const name = this.#networks.get(networkId)?.name;
    return { network: networkId, ...(name ? { name } : {}) };
  }

  /** Updates files and dnsmasq to the rendered lines. `moved`: only ports have changed. */
  async #bring(id: string, moved?: MovedAddresses): Promise<void> {
    const network = this.#networks.get(id);
    if (!network) return;
    const options = this.#config.DEFAULT;
    const files = filesOf(id, options);
    const rendered = network.lines.rendered();
    this.#logRefused(id, rendered.refused);
    if (!rendered.enableDhcp) {
      await this.#stop(id, files);
      return;
    }
    const served = this.#served.get(id);
    const throttle = served?.throttle ?? new ReloadThrottle(options.bulk_reload_interval * 1000);
    const parts = { files, rendered, throttle, closing: this.#closing.signal, log: this.#log.child(this.#label(id)) };
    const reloadMayCrash = await this.#reloadMayCrash();
    const mayCrash = reloadMayCrash && (served?.left.texts.hasTags || rendered.texts.hasTags);
    let process = served?.left.process;
    if (!served || !moved || !(await this.#passChange(id, served.left, { ...parts, moved, mayCrash }))) {
      await mkdir(files.folder, { recursive: true });
      await chmod(files.folder, 0o755);
      await mkdir(dirname(files.log), { recursive: true });
      const privileges = isOpenToOthers(files.folder) ? [] : ['--user=root'];
      const reconciliation = new Reconciliation({
        ...parts,
        movedIpv6: moved?.movedIpv6,
        command: [...rendered.commandLine, ...privileges],
        reloadMayCrash,
        namespace: network.namespace,
        device: network.device,
        leaseSeconds: options.dhcp_lease_duration,
      });
      process = await this.#reconcile(id, files, reconciliation);
    }
    if (!process) return;
    const { namespace, device } = network;
    const { texts, commandLine } = rendered;
    const left = { process, namespace, device, texts, commandLine, stamps: leftStamps(files) };
    const maxLogBytes = options.dnsmasq_base_log_dir ? MAX_OPERATOR_LOG_BYTES : MAX_LOG_BYTES;
    this.#served.set(id, { process, throttle, left, log: files.log, maxLogBytes });
  }

  async #passChange(id: string, left: Left, change: Parameters<typeof passChange>[1]): Promise<boolean> {
    try {
      return await passChange(left, change);
    } catch (error) {
      this.#served.delete(id);
      throw error;
    }
  }

  /** Asks the installed dnsmasq, once. One that does not say its version counts as crashing: restarts are slower, but safe. */
  #reloadMayCrash(): Promise<boolean> {
    this.#crashes ??= installedVersion().then(crashesOnReload, () => true);
    return this.#crashes;
  }

  async #exclusively<T>(networkId: string, work: () => Promise<T>): Promise<T> {
    if (this.#busy.has(networkId)) throw new Error(`network ${networkId}: the driver works on it already`);
    this.#busy.add(networkId);
    try {
      return await work();
    } finally {
      this.#busy.delete(networkId);
    }
  }

  async #reconcile(networkId: string, files: Files, reconciliation: Reconciliation): Promise<ServerProcess> {
    try {
      return await reconciliation.run(await this.#find(networkId, files));
    } catch (error) {
      this.#served.delete(networkId);
      this.#finder.forget();
      // A start that was in progress when its agent was killed is invisible while it forks; by now it holds the sockets.
      const late = error instanceof CommandFailed ? await this.#finder.find(files.pid) : undefined;
      if (!late) throw error;
      return reconciliation.run(late);
    }
  }

  async #find(networkId: string, files: Files): Promise<ServerProcess | undefined> {
    const remembered = this.#served.get(networkId)?.process;
    if (remembered && isRunning(remembered)) return remembered;
    return this.#finder.find(files.pid);
  }

  async #stop(networkId: string, files: Files): Promise<string | undefined> {
    const process = await this.#find(networkId, files);
    const label = this.#label(networkId);
    this.#served.delete(networkId);
    this.#networks.delete(networkId);
    this.#refused.delete(networkId);
    if (process) {
      await endProcess(process.pid);
      this.#log.info({ ...label, pid: process.pid }, 'dnsmasq stopped');
    }
    await rm(files.folder, { recursive: true, force: true });
    return process && `dnsmasq ${process.pid}`;
  }

  #died(networkId: string): void {
    const pid = this.#served.get(networkId)?.process.pid;
    this.#served.delete(networkId);
    this.#log.warn({ ...this.#label(networkId), pid }, 'dnsmasq has died');
    for (const listener of this.#listeners) listener(networkId);
  }

  /** Logs rejected values, except those already rejected in the last call. */
  #logRefused(network: string, refused: readonly Refusal[]): void {
    const before = this.#refused.get(network);
    const now = new Set(refused.map(({ owner, reason }) => `${owner}: ${reason}`));
    for (const one of now) if (!before?.has(one)) this.#log.warn(this.#label(network), `omitted: ${one}`);
    if (now.size > 0) this.#refused.set(network, now);
    else this.#refused.delete(network);
  }
}
