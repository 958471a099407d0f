import { rm } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Logger } from 'pino';
import { isInNamespace } from '../../../../linux/namespaces.ts';
import { readText, replaceText } from '../../text-file.ts';
import { additions, addLines, createFolders, watchArguments } from './additions.ts';
import type { Files } from './command-line.ts';
import { handOver } from './hand-over.ts';
import { withRequestsHeld } from './held-requests.ts';
import { leaseFileAtStart, readLeaseFile } from './lease-file.ts';
import { type Lease, movedIpv6, parseLeases, staleLeases } from './leases.ts';
import { hasLoaded, readableStamps } from './loaded.ts';
import { sizeOf } from './log-file.ts';
import { TAGGED } from './port-blocks.ts';
import { releaseLeases, whyNotReleasable } from './release.ts';
import { Reloader } from './reload.ts';
import type { ReloadThrottle } from './reload-throttle.ts';
import type { RenderedNetwork } from './render.ts';
import { awaitPidFile, type ServerProcess, startServer } from './server-process.ts';

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
  /** The goal's command line, with what this pass adds to it. */
  #command: readonly string[];
  /** Whether the `host` file is already the new one: then it no longer names previous holders. */
  #hasWritten = false;

  constructor(goal: Goal) {
    this.#goal = goal;
    this.#command = goal.command;
  }

  /** Resolves to the process that serves the network, once it serves every port. */
  async run(running: ServerProcess | undefined): Promise<ServerProcess> {
    const { files } = this.#goal;
    this.#command = [...this.#goal.command, ...this.#watches(running)];
    if (!running) return this.#start();
    const why = await this.#whyRestart(running);
    if (why) return this.#restart(running, why);
    const isLoaded = hasLoaded(files.loaded, running, readableStamps(files));
    const changed = this.#changedFiles();
    if (isLoaded && ![files.host, files.addnHosts, files.opts].some((path) => changed.has(path))) {
      this.#writeFiles(changed);
    } else if (!this.#wouldDieOfReload()) {
      this.#writeFiles(changed);
      await this.#reloader().reload(running);
    } else if (!(isLoaded && (await this.#add(running)))) {
      await this.#reloader().waitForTurn(running, 'restart');
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
    return isWatching || rendered.texts.hasTags ? watches : [];
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
    return whyNotReleasable(this.#staleOf(leaseFile));
  }

  #isWatching(): boolean {
    return watchArguments(this.#goal.files.added).every((one) => this.#command.includes(one));
  }

  /** Returns whether dnsmasq might not survive a reload, because it may have answered hosts with tags. */
  #wouldDieOfReload(): boolean {
    const { files, reloadMayCrash } = this.#goal;
    return reloadMayCrash && (readText(files.host) ?? '').includes(TAGGED);
  }

  /**
   * Hands added ports to a dnsmasq that has read the files as they are, without a reload. Resolves to whether it could: nothing
   * else may have changed.
   */
  async #add(running: ServerProcess): Promise<boolean> {
    const { files, rendered } = this.#goal;
    if (!this.#isWatching()) return false;
    const before = {
      host: readText(files.host) ?? '',
      addnHosts: readText(files.addnHosts) ?? '',
      opts: readText(files.opts) ?? '',
    };
    const lines = additions(before, rendered);
    if (!lines) return false;
    const reloader = this.#reloader();
    await reloader.waitForTurn(running);
    this.#writeFiles();
    await reloader.observe(running, () => addLines(files.added, lines));
    return true;
  }

  #reloader(): Reloader {
    const { files, rendered, throttle, closing, log } = this.#goal;
    return new Reloader({ files, command: this.#command, hosts: rendered.hosts, throttle, closing, log });
  }

  /** Returns the stale leases. Called before the new `host` file is written, because the old one shows which addresses moved. */
  async #staleLeases(running: ServerProcess): Promise<readonly Lease[]> {
    return this.#staleOf(await readLeaseFile(this.#goal.files.leases, running));
  }

  #staleOf(leaseFile: string | undefined): readonly Lease[] {
    const { files, rendered } = this.#goal;
    const leases = parseLeases(leaseFile ?? '');
    if (leases.length === 0) return [];
    const moved = this.#hasWritten
      ? new Set<string>()
      : (this.#goal.movedIpv6 ?? movedIpv6(readText(files.host) ?? '', rendered.host));
    return staleLeases(leases, rendered.holderOf, moved);
  }

  /** Returns the files whose text must change: new text by path. */
  #changedFiles(): ReadonlyMap<string, string> {
    const { files, rendered, device } = this.#goal;
    const texts: readonly (readonly [string, string])[] = [
      [files.opts, rendered.opts],
      [files.addnHosts, rendered.addnHosts],
      [files.host, rendered.host],
      [files.interface, device],
    ];
    const changed = new Map<string, string>();
    for (const [path, text] of texts) if (readText(path) !== text) changed.set(path, text);
    return changed;
  }

  #writeFiles(changed = this.#changedFiles()): void {
    for (const [path, text] of changed) replaceText(path, text);
    this.#hasWritten = true;
  }

  /** Starts dnsmasq if none is running. Leases are kept, except stale ones. */
  async #start(): Promise<ServerProcess> {
    const { files, namespace } = this.#goal;
    const found = readText(files.leases);
    const leases = this.#leasesAtStart(found);
    if (leases !== found) replaceText(files.leases, leases);
    this.#writeFiles();
    await rm(files.added, { recursive: true, force: true });
    if (this.#isWatching()) await createFolders(files.added);
    return this.#started(() => startServer(this.#command, namespace, files.pid));
  }

  /** Replaces the running dnsmasq with a new one. The files are unchanged until the old one has ended. */
  async #restart(running: ServerProcess, why: string): Promise<ServerProcess> {
    const { files, namespace, device, log } = this.#goal;
    const command = this.#command;
    log.info({ pid: running.pid }, `dnsmasq restarts: ${why}`);
    const texts = new Map([...this.#changedFiles()].map(([path, text]) => [basename(path), text]));
    const stale = await this.#staleLeases(running);
    const seeds = this.#leasesAtStart(undefined);
    if (this.#isWatching()) await createFolders(files.added);
    return withRequestsHeld({ namespace, device, leaseFile: files.leases, log }, running, () =>
      this.#started(async () => {
        await handOver(running, { folder: files.folder, namespace, command, texts, stale, seeds });
        return awaitPidFile(files.pid);
      }),
    );
  }

  #leasesAtStart(found: string | undefined): string {
    const { rendered, leaseSeconds } = this.#goal;
    const expires = leaseSeconds < 0 ? 0 : Math.floor(Date.now() / 1000) + leaseSeconds;
    return leaseFileAtStart(found, this.#staleOf(found), rendered.entitled, expires);
  }

  async #started(start: () => Promise<ServerProcess>): Promise<ServerProcess> {
    const { files, throttle, log } = this.#goal;
    const from = sizeOf(files.log);
    const began = performance.now();
    const process = await start();
    await this.#reloader().untilRead(process, from);
    throttle.restarted(began, performance.now());
    log.info({ pid: process.pid }, 'dnsmasq started');
    return process;
  }

  /**
   * Releases stale leases in dnsmasq, only after it has read the new hosts, because before that their holders could get them
   * again. Resolves to whether all were released.
   */
  async #releaseStale(running: ServerProcess): Promise<boolean> {
    const { files, namespace, device, log } = this.#goal;
    const where = { namespace, device, leaseFile: files.leases };
    return releaseLeases(await this.#staleLeases(running), running, where, log);
  }
}
