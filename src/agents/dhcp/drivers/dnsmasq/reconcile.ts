import { basename } from 'node:path';
import type { Logger } from 'pino';
import { isInNamespace } from '../../../../linux/namespaces.ts';
import { isRunning, signalProcess } from '../../../../linux/processes.ts';
import { pause } from '../../../../time/pause.ts';
import { readText, replaceText } from '../../text-file.ts';
import type { Files } from './command-line.ts';
import { handOver } from './hand-over.ts';
import { leaseFileAtStart, readLeaseFile } from './lease-file.ts';
import { type Lease, movedIpv6, parseLeases, staleLeases } from './leases.ts';
import { fingerprint, hasLoaded, recordLoaded } from './loaded.ts';
import { sizeOf, waitUntilRead } from './log-file.ts';
import { hasReleaseProgram, releaseLease } from './release.ts';
import { type ReloadThrottle, reloadTimeoutMs } from './reload-throttle.ts';
import type { RenderedNetwork } from './render.ts';
import { awaitPidFile, isIdle, type ServerProcess, startServer, waitUntilIdle } from './server-process.ts';

/** More stale leases than this are cheaper to remove from the file with a restart than to release one by one. */
const MAX_RELEASES = 16;

/** The goal of one pass. */
export interface Goal {
  readonly files: Files;
  readonly rendered: RenderedNetwork;
  /** IPv6 addresses that moved to another MAC address. Default: found by comparing the old `host` file with the new text. */
  readonly movedIpv6?: ReadonlySet<string> | undefined;
  /** Command line of dnsmasq. */
  readonly command: readonly string[];
  readonly namespace: string;
  readonly device: string;
  /** Duration of a seeded lease in seconds; negative: infinite. */
  readonly leaseSeconds: number;
  readonly throttle: ReloadThrottle;
  /** Aborted when the driver closes: a waiting pass then ends. */
  readonly closing: AbortSignal;
  readonly log: Logger;
}

/**
 * One pass that brings a network's files and dnsmasq to the goal. If it is killed at any point, the next pass finds the remaining
 * work in the folder: texts that differ from `loaded`, stale leases, a process or none.
 */
export class Reconciliation {
  readonly #goal: Goal;
  readonly #fingerprint: string;
  /** Whether the `host` file is already the new one: then it no longer names previous holders. */
  #hasWritten = false;

  constructor(goal: Goal) {
    this.#goal = goal;
    const { host, addnHosts, opts } = goal.rendered;
    this.#fingerprint = fingerprint([host, addnHosts, opts]);
  }

  /** Resolves to the process that serves the network, once it serves every port. */
  async run(running: ServerProcess | undefined): Promise<ServerProcess> {
    const { files } = this.#goal;
    if (!running) return this.#start();
    const why = await this.#whyRestart(running);
    if (why) return this.#restart(running, why);
    if (await this.#wouldDieOfReload(running)) {
      await this.#waitForTurn();
      return this.#restart(running, 'a reload could end it, for its hosts have tags');
    }
    await this.#writeFiles();
    if (!(await hasLoaded(files.loaded, running, this.#fingerprint))) await this.#reload(running);
    if (await this.#releaseStale(running)) return running;
    return this.#restart(running, 'it keeps leases that were released');
  }

  /** Returns why a running dnsmasq cannot be brought to the goal without a restart; undefined if it can. */
  async #whyRestart(running: ServerProcess): Promise<string | undefined> {
    const { command, namespace } = this.#goal;
    const wanted = new Set(command);
    const gone = running.command.filter((one) => !wanted.has(one));
    const fresh = command.filter((one) => !running.command.includes(one));
    if (gone.length > 0 || fresh.length > 0) {
      return `its command line changes${[...gone.map((one) => `, without ${one}`), ...fresh.map((one) => `, with ${one}`)].join('')}`;
    }
    if (!(await isInNamespace(running, namespace))) return `it is not in namespace ${namespace}`;
    const leaseFile = await readLeaseFile(this.#goal.files.leases, running);
    if (leaseFile === undefined) return 'its lease file is gone';
    const stale = await this.#staleOf(leaseFile);
    if (stale.length > MAX_RELEASES) return `${stale.length} leases must be released`;
    if (stale.some(({ version }) => version === 6)) return 'a DHCPv6 lease must be released';
    if (stale.length > 0 && !(await hasReleaseProgram()))
      return 'a lease must be released and dhcp_release is not installed';
    return undefined;
  }

  /**
   * Returns whether the goal requires a reload that dnsmasq might not survive: after it has served a host with a tag (`set:`),
   * that host's tags are linked to those of its range, and freeing one frees the other (seen with 2.90 of Debian 12:
   * segmentation fault on SIGHUP).
   */
  async #wouldDieOfReload(running: ServerProcess): Promise<boolean> {
    const { files } = this.#goal;
    if (await hasLoaded(files.loaded, running, this.#fingerprint)) return false;
    return ((await readText(files.host)) ?? '').includes(',set:');
  }

  async #waitForTurn(): Promise<void> {
    const { throttle, closing } = this.#goal;
    if (!(await pause(throttle.waitMs(performance.now()), closing))) throw new Error('the dnsmasq driver closes');
  }

  /** Returns the stale leases. Called before the new `host` file is written, because the old one shows which addresses moved. */
  async #staleLeases(running: ServerProcess): Promise<readonly Lease[]> {
    return this.#staleOf(await readLeaseFile(this.#goal.files.leases, running));
  }

  async #staleOf(leaseFile: string | undefined): Promise<readonly Lease[]> {
    const { files, rendered } = this.#goal;
    const leases = parseLeases(leaseFile ?? '');
    if (leases.length === 0) return [];
    const moved = this.#hasWritten
      ? new Set<string>()
      : (this.#goal.movedIpv6 ?? movedIpv6((await readText(files.host)) ?? '', rendered.host));
    return staleLeases(leases, rendered.holderOf, moved);
  }

  /** Returns the files whose text must change: new text by path. */
  async #changedFiles(): Promise<ReadonlyMap<string, string>> {
    const { files, rendered, device } = this.#goal;
    const texts: readonly (readonly [string, string])[] = [
      [files.opts, rendered.opts],
      [files.addnHosts, rendered.addnHosts],
      [files.host, rendered.host],
      [files.interface, device],
    ];
    const changed = new Map<string, string>();
    for (const [path, text] of texts) if ((await readText(path)) !== text) changed.set(path, text);
    return changed;
  }

  async #writeFiles(): Promise<void> {
    for (const [path, text] of await this.#changedFiles()) await replaceText(path, text);
    this.#hasWritten = true;
  }

  /** Starts dnsmasq if none is running. Leases are kept, except stale ones. */
  async #start(): Promise<ServerProcess> {
    const { files, command, namespace } = this.#goal;
    const found = await readText(files.leases);
    const leases = await this.#leasesAtStart(found);
    if (leases !== found) await replaceText(files.leases, leases);
    await this.#writeFiles();
    return this.#started(() => startServer(command, namespace, files.pid));
  }

  /** Replaces the running dnsmasq with a new one. The files are unchanged until the old one has ended. */
  async #restart(running: ServerProcess, why: string): Promise<ServerProcess> {
    const { files, command, namespace, log } = this.#goal;
    log.info({ pid: running.pid }, `dnsmasq restarts: ${why}`);
    const texts = new Map([...(await this.#changedFiles())].map(([path, text]) => [basename(path), text]));
    const stale = await this.#staleLeases(running);
    const seeds = await this.#leasesAtStart(undefined);
    return this.#started(async () => {
      await handOver(running, { folder: files.folder, namespace, command, texts, stale, seeds });
      return awaitPidFile(files.pid);
    });
  }

  async #leasesAtStart(found: string | undefined): Promise<string> {
    const { rendered, leaseSeconds } = this.#goal;
    const expires = leaseSeconds < 0 ? 0 : Math.floor(Date.now() / 1000) + leaseSeconds;
    return leaseFileAtStart(found, await this.#staleOf(found), rendered.entitled, expires);
  }

  async #started(start: () => Promise<ServerProcess>): Promise<ServerProcess> {
    const { files, throttle, log } = this.#goal;
    const from = sizeOf(files.log);
    const began = performance.now();
    const process = await start();
    await this.#untilRead(process, from);
    throttle.reloaded(began, performance.now());
    log.info({ pid: process.pid }, 'dnsmasq started');
    return process;
  }

  async #reload(running: ServerProcess): Promise<void> {
    const { files, throttle } = this.#goal;
    await this.#waitForTurn();
    // One that a killed agent started may still be at its first reading, whose lines in the log are not those of the reload.
    await waitUntilIdle(running, reloadTimeoutMs(this.#goal.rendered.entitled.length));
    const from = sizeOf(files.log);
    const began = performance.now();
    if (!isRunning(running) || !signalProcess(running.pid, 'SIGHUP')) {
      throw new Error(`dnsmasq (process ${running.pid}) ended before it could be reloaded`);
    }
    await this.#untilRead(running, from);
    throttle.reloaded(began, performance.now());
  }

  /** Waits until dnsmasq has read the files and serves again, and only then records it in `loaded`. */
  async #untilRead(process: ServerProcess, from: number): Promise<void> {
    const { files, command, rendered, log } = this.#goal;
    // The last file that it reads. Without a range, it does not read the DHCP files.
    const last = command.some((one) => one.startsWith('--dhcp-range=')) ? files.opts : files.addnHosts;
    const timeoutMs = reloadTimeoutMs(rendered.entitled.length);
    const observed = { isRunning: () => isRunning(process), isIdle: () => isIdle(process) };
    const wasRead = await waitUntilRead(files.log, from, last, observed, timeoutMs);
    if (!wasRead) log.warn({ pid: process.pid }, `dnsmasq does not log to ${files.log}`);
    await waitUntilIdle(process, timeoutMs);
    await recordLoaded(files.loaded, process, this.#fingerprint);
  }

  /**
   * Releases stale leases in dnsmasq, only after it has read the new hosts, because before that their holders could get them
   * again. Resolves to whether all were released.
   */
  async #releaseStale(running: ServerProcess): Promise<boolean> {
    const { files, namespace, device, log } = this.#goal;
    for (const lease of await this.#staleLeases(running)) {
      const released = await releaseLease(lease, running, { namespace, device, leaseFile: files.leases });
      if (!isRunning(running)) throw new Error(`dnsmasq (process ${running.pid}) ended while leases were released`);
      if (!released) return false;
      log.info({ address: lease.address, mac: lease.hardware }, 'lease released');
    }
    return true;
  }
}
