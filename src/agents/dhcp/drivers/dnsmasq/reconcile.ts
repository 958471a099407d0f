import { rm } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Logger } from 'pino';
import { isInNamespace } from '../../../../linux/namespaces.ts';
import { isRunning, signalProcess } from '../../../../linux/processes.ts';
import { pause } from '../../../../time/pause.ts';
import { readText, replaceText } from '../../text-file.ts';
import { additions, addLines, createFolders, type Texts, watchArguments } from './additions.ts';
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

/** In a line of the host file: the host has a tag. */
const TAGGED = ',set:';

const fingerprintOf = ({ host, addnHosts, opts }: Texts): string => fingerprint([host, addnHosts, opts]);

/** The goal of one pass. */
export interface Goal {
  readonly files: Files;
  readonly rendered: RenderedNetwork;
  /** IPv6 addresses that moved to another MAC address. Default: found by comparing the old `host` file with the new text. */
  readonly movedIpv6?: ReadonlySet<string> | undefined;
  /** Command line of dnsmasq. */
  readonly command: readonly string[];
  /** Whether a reload may end the running dnsmasq if its hosts have tags (`crashesOnReload`). */
  readonly reloadMayCrash: boolean;
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
  /** The goal's command line, with what this pass adds to it. */
  #command: readonly string[];
  /** Whether the `host` file is already the new one: then it no longer names previous holders. */
  #hasWritten = false;

  constructor(goal: Goal) {
    this.#goal = goal;
    this.#command = goal.command;
    this.#fingerprint = fingerprintOf(goal.rendered);
  }

  /** Resolves to the process that serves the network, once it serves every port. */
  async run(running: ServerProcess | undefined): Promise<ServerProcess> {
    const { files } = this.#goal;
    this.#command = [...this.#goal.command, ...this.#watches(running)];
    if (!running) return this.#start();
    const why = await this.#whyRestart(running);
    if (why) return this.#restart(running, why);
    if (await hasLoaded(files.loaded, running, this.#fingerprint)) await this.#writeFiles();
    else if (!(await this.#wouldDieOfReload())) await this.#reload(running);
    else if (!(await this.#add(running))) {
      await this.#waitForTurn((now) => this.#goal.throttle.restartWaitMs(now));
      return this.#restart(running, 'a reload could end it, because its hosts have tags');
    }
    if (await this.#releaseStale(running)) return running;
    return this.#restart(running, 'it keeps leases that were released');
  }

  /** Returns the arguments that let dnsmasq take new ports without a reload, if it may not be reloaded. They then remain. */
  #watches(running: ServerProcess | undefined): readonly string[] {
    const { files, rendered, reloadMayCrash } = this.#goal;
    if (!reloadMayCrash) return [];
    const watches = watchArguments(files.added);
    const isWatching = running !== undefined && watches.every((one) => running.command.includes(one));
    return isWatching || rendered.host.includes(TAGGED) ? watches : [];
  }

  /** Returns why a running dnsmasq cannot be brought to the goal without a restart; undefined if it can. */
  async #whyRestart(running: ServerProcess): Promise<string | undefined> {
    const { namespace } = this.#goal;
    const command = this.#command;
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

  #isWatching(): boolean {
    return watchArguments(this.#goal.files.added).every((one) => this.#command.includes(one));
  }

  /** Returns whether dnsmasq might not survive a reload, because it may have answered hosts with tags. */
  async #wouldDieOfReload(): Promise<boolean> {
    const { files, reloadMayCrash } = this.#goal;
    return reloadMayCrash && ((await readText(files.host)) ?? '').includes(TAGGED);
  }

  /** Hands added ports to dnsmasq without a reload. Resolves to whether it could: nothing else may have changed. */
  async #add(running: ServerProcess): Promise<boolean> {
    const { files, rendered, throttle } = this.#goal;
    if (!this.#isWatching()) return false;
    const before = {
      host: (await readText(files.host)) ?? '',
      addnHosts: (await readText(files.addnHosts)) ?? '',
      opts: (await readText(files.opts)) ?? '',
    };
    // What is in the files is what dnsmasq knows, unless an agent was killed in between.
    if (!(await hasLoaded(files.loaded, running, fingerprintOf(before)))) return false;
    const lines = additions(before, rendered);
    if (!lines) return false;
    await this.#waitForTurn((now) => throttle.waitMs(now));
    await this.#writeFiles();
    await waitUntilIdle(running, reloadTimeoutMs(rendered.entitled.length));
    const from = sizeOf(files.log);
    const began = performance.now();
    const last = await addLines(files.added, lines);
    await this.#untilRead(running, from, last);
    throttle.reloaded(began, performance.now());
    return true;
  }

  async #waitForTurn(waitMs: (now: number) => number): Promise<void> {
    if (!(await pause(waitMs(performance.now()), this.#goal.closing))) throw new Error('the dnsmasq driver closes');
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
    const { files, namespace } = this.#goal;
    const found = await readText(files.leases);
    const leases = await this.#leasesAtStart(found);
    if (leases !== found) await replaceText(files.leases, leases);
    await this.#writeFiles();
    await rm(files.added, { recursive: true, force: true });
    if (this.#isWatching()) await createFolders(files.added);
    return this.#started(() => startServer(this.#command, namespace, files.pid));
  }

  /** Replaces the running dnsmasq with a new one. The files are unchanged until the old one has ended. */
  async #restart(running: ServerProcess, why: string): Promise<ServerProcess> {
    const { files, namespace, log } = this.#goal;
    const command = this.#command;
    log.info({ pid: running.pid }, `dnsmasq restarts: ${why}`);
    const texts = new Map([...(await this.#changedFiles())].map(([path, text]) => [basename(path), text]));
    const stale = await this.#staleLeases(running);
    const seeds = await this.#leasesAtStart(undefined);
    if (this.#isWatching()) await createFolders(files.added);
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
    throttle.restarted(performance.now());
    log.info({ pid: process.pid }, 'dnsmasq started');
    return process;
  }

  async #reload(running: ServerProcess): Promise<void> {
    const { files, throttle } = this.#goal;
    await this.#writeFiles();
    await this.#waitForTurn((now) => throttle.waitMs(now));
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
  async #untilRead(process: ServerProcess, from: number, last = this.#lastRead()): Promise<void> {
    const { files, rendered, log } = this.#goal;
    const timeoutMs = reloadTimeoutMs(rendered.entitled.length);
    const observed = { isRunning: () => isRunning(process), isIdle: () => isIdle(process) };
    const wasRead = await waitUntilRead(files.log, from, last, observed, timeoutMs);
    if (!wasRead) log.warn({ pid: process.pid }, `dnsmasq does not log to ${files.log}`);
    await waitUntilIdle(process, timeoutMs);
    await recordLoaded(files.loaded, process, this.#fingerprint);
  }

  /** Returns the last file that dnsmasq reads. Without a range, it does not read the DHCP files. */
  #lastRead(): string {
    const { files } = this.#goal;
    return this.#command.some((one) => one.startsWith('--dhcp-range=')) ? files.opts : files.addnHosts;
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
