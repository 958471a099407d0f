import { chmodSync, mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeUnlessKept } from './folder.ts';
import { freePorts } from './free-ports.ts';
import { startTestHost, type TestHost } from './hosts/test-host.ts';
import { makeUnderlay, type Underlay } from './hosts/underlay.ts';
import type { Ini } from './ini.ts';
import { type PrivateMariadb, startMariadb } from './mariadb.ts';
import { NeutrinoProcess } from './neutrino.ts';
import { type RabbitMq, type RabbitMqOptions, startRabbitMq } from './rabbitmq.ts';

/** A test host with a folder. */
export interface Place {
  readonly host: TestHost;
  /** Folder for state, configuration files and logs. */
  readonly statePath: string;
  /** Creates a Neutrino process on the host without starting it; `modules` are loaded first. */
  neutrino(
    words: readonly string[],
    files?: Readonly<Record<string, Ini>>,
    modules?: readonly string[],
  ): NeutrinoProcess;
}

/** Test hosts joined by an underlay, with a common folder. */
export interface Hosts {
  readonly folder: string;
  readonly underlay: Underlay;
  /** All Neutrino processes created on its hosts. */
  readonly processes: readonly NeutrinoProcess[];
  /** Starts a host. */
  place(name: string): Promise<Place>;
  /** Registers cleanup that runs before the hosts end. */
  defer(end: () => Promise<void>): void;
  dispose(): Promise<void>;
}

/** Creates a site with an underlay; `name` is part of the folder's name. Needs root. */
export async function makeHosts(name: string): Promise<Hosts> {
  const folder = mkdtempSync(join(tmpdir(), `neutrino-${name}-`));
  // Stock Neutron's dnsmasq drops root privileges and reads its files as user nobody.
  chmodSync(folder, 0o755);
  const parts = new AsyncDisposableStack();
  parts.defer(() => removeUnlessKept(folder));
  try {
    const underlay = await makeUnderlay();
    parts.defer(underlay.dispose);
    const processes: NeutrinoProcess[] = [];
    return {
      folder,
      underlay,
      processes,
      async place(hostName) {
        const host = await startTestHost(hostName, underlay);
        parts.defer(host.dispose);
        const statePath = join(folder, hostName);
        mkdirSync(statePath, { recursive: true });
        return {
          host,
          statePath,
          neutrino(words, files = {}, modules = []) {
            const made = new NeutrinoProcess({ words, files, modules, host, folder: statePath });
            processes.push(made);
            return made;
          },
        };
      },
      defer: (end) => parts.defer(end),
      dispose: () => parts.disposeAsync(),
    };
  } catch (error) {
    await parts.disposeAsync();
    throw error;
  }
}

/** A site with its own broker and database. */
export interface Site extends Hosts {
  readonly mariadb: PrivateMariadb;
  readonly rabbit: RabbitMq;
  /** `transport_url` and `[database] connection` for processes on the hosts. */
  readonly transportUrl: string;
  readonly database: string;
}

/** Creates a site and starts a broker and an empty database, which listen on the underlay and on loopback. Needs root. */
export async function startSite(name: string, broker: Pick<RabbitMqOptions, 'login'> = {}): Promise<Site> {
  const hosts = await makeHosts(name);
  const { address } = hosts.underlay;
  const part = async <T extends { dispose(): Promise<void> }>(starting: Promise<T>): Promise<T> => {
    const started = await starting;
    hosts.defer(() => started.dispose());
    return started;
  };
  try {
    const [port = 0] = await freePorts(1);
    const started = await Promise.allSettled([
      part(startMariadb({ addresses: [address] })),
      part(startRabbitMq({ ...broker, conf: [`listeners.tcp.2 = ${address}:${port}`] })),
    ]);
    const [mariadb, rabbit] = started.map((one) => {
      if (one.status === 'rejected') throw one.reason;
      return one.value;
    }) as [PrivateMariadb, RabbitMq];
    const reached = (url: string) => url.replace('@127.0.0.1:', `@${address}:`);
    return {
      ...hosts,
      mariadb,
      rabbit,
      transportUrl: reached(rabbit.transportUrl({ port })),
      database: reached(await mariadb.database()),
    };
  } catch (error) {
    await hosts.dispose();
    throw error;
  }
}
