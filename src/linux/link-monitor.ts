import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { Logger } from 'pino';
import { backoffDelay } from '../time/backoff.ts';
import { waitFor } from '../time/wait.ts';
import { checkNamespaceName, type InNamespace } from './ip.ts';
import { listLinks } from './links.ts';

/** A device as the monitor knows it. */
export interface MonitoredLink {
  readonly name: string;
  readonly index: number;
  readonly mac: string;
  readonly mtu: number;
  /** Set up by an administrator (IFF_UP). */
  readonly up: boolean;
  /** Bridge that it is plugged into. */
  readonly master?: string;
}

/**
 * A device appeared, disappeared, or changed in one of the properties above. A renamed device disappears and reappears by its
 * new name.
 */
export interface LinkEvent {
  readonly kind: 'added' | 'removed' | 'changed';
  readonly link: MonitoredLink;
}

export interface LinkMonitor {
  /** The existing devices, by name. */
  links(): ReadonlyMap<string, MonitoredLink>;
  close(): Promise<void>;
}

/**
 * Reads a line of `ip -o monitor link`; returns undefined for lines about something else. Bridges report the state of their
 * ports in lines of the same form (family AF_BRIDGE, "Deleted" when a port is unplugged), which lack the queueing discipline.
 */
export function parseMonitorLine(
  line: string,
): { readonly deleted: boolean; readonly link: MonitoredLink } | undefined {
  const match = /^(Deleted )?(\d+): ([^:@\s]+)(?:@\S+)?: <([^>]*)> mtu (\d+) qdisc \S+ (?:master (\S+) )?/.exec(line);
  if (!match) return undefined;
  const [, deleted, index, name, flags, mtu, master] = match;
  const mac = /link\/\S+ ([0-9a-f:]+)/.exec(line)?.[1] ?? '';
  return {
    deleted: deleted !== undefined,
    link: {
      name: name as string,
      index: Number(index),
      mac,
      mtu: Number(mtu),
      up: (flags as string).split(',').includes('UP'),
      ...(master === undefined ? {} : { master }),
    },
  };
}

/** What a namespace is watched for, and who hears of it. */
interface MonitorOptions extends InNamespace {
  readonly log: Logger;
  readonly onEvent: (event: LinkEvent) => void;
  /**
   * Called with the name of each device that disappears from another namespace to which this one has moved devices (see
   * ip-monitor(8), all-nsid); default: other namespaces are not watched.
   */
  readonly onRemovedElsewhere?: (name: string) => void;
}

const RESTART = { firstMs: 100, maxMs: 10_000, jitter: 0 };
const LISTENING_MS = 5_000;

/**
 * Watches the devices of a namespace. Resolves after the first full list, whose devices are reported as `added`; from then on
 * `onEvent` receives every change, in order. When `ip monitor` ends unexpectedly, it is started again after 100 ms to 10 s, and
 * a new list finds what was missed. Throws when the devices cannot be listed the first time.
 */
export async function startLinkMonitor(options: MonitorOptions): Promise<LinkMonitor> {
  const monitor = new Monitor(options);
  try {
    await monitor.begin();
  } catch (error) {
    await monitor.close();
    throw error;
  }
  return monitor;
}

class Monitor implements LinkMonitor {
  readonly #options: MonitorOptions;
  readonly #byIndex = new Map<number, MonitoredLink>();
  readonly #byName = new Map<string, MonitoredLink>();
  #child: ChildProcessByStdio<null, Readable, null> | undefined;
  #restarts = 0;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: MonitorOptions) {
    this.#options = options;
  }

  links(): ReadonlyMap<string, MonitoredLink> {
    return this.#byName;
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
    const ended = new Promise((resolve) => child.once('close', resolve));
    child.kill('SIGKILL');
    await ended;
  }

  /** Listens first, then lists: changes between the two are reported twice, which `#learn` tolerates. */
  async begin(): Promise<void> {
    const { namespace, onRemovedElsewhere } = this.#options;
    const before = namespace === undefined ? [] : ['-n', checkNamespaceName(namespace)];
    const everywhere = onRemovedElsewhere ? ['all-nsid'] : [];
    const child = spawn('ip', [...before, '-o', 'monitor', 'link', ...everywhere], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    this.#child = child;
    const ended = new Promise<string>((resolve) => {
      child.once('error', (error) => resolve(error.message));
      child.once('close', (code, signal) => resolve(signal ?? `exit code ${code}`));
    });
    const early: string[] = [];
    let listed = false;
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (listed) this.#read(line);
      else early.push(line);
    });
    try {
      await Promise.race([
        listening(child.pid),
        ended.then((why) => {
          throw new Error(`ip monitor link ended (${why})`);
        }),
      ]);
      const now = await listLinks(this.#options);
      const indexes = new Set(now.map((link) => link.index));
      for (const link of [...this.#byIndex.values()]) if (!indexes.has(link.index)) this.#forget(link);
      for (const { name, index, mac, mtu, up, master } of now) {
        this.#learn({ name, index, mac, mtu, up, ...(master === undefined ? {} : { master }) });
      }
    } finally {
      // Closed while it was starting.
      if (this.#child !== child) child.kill('SIGKILL');
    }
    listed = true;
    for (const line of early) this.#read(line);
    const upSince = performance.now();
    void ended.then((why) => {
      if (this.#closed) return;
      if (performance.now() - upSince > RESTART.maxMs) this.#restarts = 0;
      this.#again(why);
    });
  }

  /** Starts again after a pause. `why`: how it ended; logged after the pause, because Ctrl-C ends it just before `close`. */
  #again(why?: string): void {
    if (this.#closed) return;
    this.#restarts += 1;
    this.#timer = setTimeout(
      () => {
        if (why !== undefined) this.#options.log.warn({ why }, 'ip monitor link ended; starting it again');
        this.begin().catch((error: unknown) => {
          if (this.#closed) return;
          this.#child?.kill('SIGKILL');
          this.#options.log.warn({ err: error }, 'cannot watch network devices; retrying');
          this.#again();
        });
      },
      backoffDelay(this.#restarts, RESTART),
    );
  }

  #read(text: string): void {
    const [, origin, line = ''] = /^(?:\[nsid ([^\]]+)\])?(.*)$/.exec(text) ?? [];
    const news = parseMonitorLine(line);
    if (!news || this.#closed) return;
    if (origin !== undefined && origin !== 'current') {
      if (news.deleted) this.#tell(() => this.#options.onRemovedElsewhere?.(news.link.name), news.link);
      return;
    }
    if (!news.deleted) this.#learn(news.link);
    else {
      const known = this.#byIndex.get(news.link.index);
      if (known) this.#forget(known);
    }
  }

  #learn(link: MonitoredLink): void {
    const known = this.#byIndex.get(link.index);
    if (known && known.name !== link.name) this.#forget(known);
    this.#byIndex.set(link.index, link);
    this.#byName.set(link.name, link);
    if (!known || known.name !== link.name) this.#report('added', link);
    else if (known.mac !== link.mac || known.mtu !== link.mtu || known.up !== link.up || known.master !== link.master) {
      this.#report('changed', link);
    }
  }

  #forget(link: MonitoredLink): void {
    this.#byIndex.delete(link.index);
    // A device of the same name may have appeared before this one's removal was reported.
    if (this.#byName.get(link.name)?.index === link.index) this.#byName.delete(link.name);
    this.#report('removed', link);
  }

  #report(kind: LinkEvent['kind'], link: MonitoredLink): void {
    this.#tell(() => this.#options.onEvent({ kind, link }), link);
  }

  #tell(listener: () => void, link: MonitoredLink): void {
    try {
      listener();
    } catch (error) {
      this.#options.log.error({ err: error, device: link.name }, 'a listener of the link monitor failed');
    }
  }
}

/** Resolves when the process has its netlink socket bound to a group: it reports everything that happens from then on. */
async function listening(pid: number | undefined): Promise<void> {
  if (pid === undefined) return;
  const bound = async () => {
    // Columns: sk, protocol (0: route), port id (the pid for the first socket), groups. /proc/PID/net is that of its namespace.
    const table = await readFile(`/proc/${pid}/net/netlink`, 'utf8').catch(() => '');
    return table.split('\n').some((line) => {
      const [, protocol, portId, groups] = line.trim().split(/\s+/);
      return protocol === '0' && Number(portId) === pid && groups !== '00000000';
    });
  };
  await waitFor('ip monitor link to listen', bound, LISTENING_MS);
}
