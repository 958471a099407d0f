import { existsSync } from 'node:fs';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Logger } from 'pino';
import type { Config } from '../../../config/options.ts';
import { showLink } from '../../../linux/links.ts';
import { isInNamespace, namespacePath } from '../../../linux/namespaces.ts';
import { endProcess, isRunning, type ProcessInfo, showProcess } from '../../../linux/processes.ts';
import { run } from '../../../linux/run.ts';
import { hasIpv6, setSysctls } from '../../../linux/sysctl.ts';
import { UUID } from '../../../net/patterns.ts';
import { waitFor } from '../../../time/wait.ts';
import { readText, replaceText } from '../text-file.ts';
import type { MetadataProxies, WantedProxy } from './contract.ts';
import { haproxyConf, ipv6Listener } from './haproxy-conf.ts';
import { rateSettings } from './rate-settings.ts';

const PROGRAM = 'haproxy';
const START_MS = 10_000;
const PID_FILE_MS = 2_000;
const LOOK_MS = 500;
/** Proxies that only pass small answers on need no longer to end. */
const GRACE_MS = 5_000;

type HaproxyConfig = Pick<Config, 'DEFAULT' | 'metadata_rate_limiting'>;

/** The files of the haproxy that serves a network or, on a metadata network, its router, where Neutron's agents have them. */
export const haproxyFiles = ({ state_path, external_pids }: Config['DEFAULT'], id: string) => ({
  conf: join(state_path, 'ns-metadata-proxy', `${id}.conf`),
  pid: join(external_pids, `${id}.pid.haproxy`),
});

/** A file of Neutrino's own: the indexes of the devices on which a network's haproxy listens, and the router that it serves, if any. */
const placeFile = ({ state_path }: Config['DEFAULT'], networkId: string): string =>
  join(state_path, 'ns-metadata-proxy', `${networkId}.device`);

/** How haproxies are watched: with the network, because that of a metadata network has the router's files. */
interface Watched extends ProcessInfo {
  readonly id: string;
}

/** One haproxy for each network, in its namespace, as Neutron's DHCP agent runs them; that of a stock agent is replaced. */
export class HaproxyProxies implements MetadataProxies {
  readonly #config: HaproxyConfig;
  readonly #log: Logger;
  readonly #running = new Map<string, Watched>();
  readonly #listeners: ((networkId: string) => void)[] = [];
  readonly #timer: NodeJS.Timeout;

  constructor({ config, log }: { readonly config: HaproxyConfig; readonly log: Logger }) {
    this.#config = config;
    this.#log = log;
    // It is a child of init, whose end causes no event here.
    this.#timer = setInterval(() => this.#look(), LOOK_MS).unref();
  }

  async serve(proxy: WantedProxy): Promise<void> {
    const { networkId, routerId, namespace } = proxy;
    const id = routerId ?? networkId;
    const other = [...this.#running].find(([network, one]) => one.id === id && network !== networkId)?.[0];
    if (other) throw new Error(`router ${id}: its haproxy is on network ${other} already`);
    const files = haproxyFiles(this.#config.DEFAULT, id);
    const wanted = await this.#conf(proxy, files.pid);
    // A socket stays with a device that was deleted, even if another one has its name.
    const links = await Promise.all(proxy.devices.map((device) => showLink(device, { namespace })));
    const indexes = links.map((link) => link?.index).join();
    const place = routerId === undefined ? indexes : `${indexes} ${routerId}`;
    const found = await this.#find(id);
    const isRight = readText(files.conf) === wanted && this.#place(networkId) === place;
    this.#running.delete(networkId);
    if (found && isRight && (await isInNamespace(found, namespace))) {
      this.#running.set(networkId, { ...found, id });
      return;
    }
    for (const former of this.#ids(networkId)) if (former !== id) await this.#end(former);
    if (found) await endProcess(found.pid, GRACE_MS);
    await mkdir(dirname(files.conf), { recursive: true });
    await mkdir(dirname(files.pid), { recursive: true });
    await rm(files.pid, { force: true });
    replaceText(files.conf, wanted);
    // First: after a kill, `stop` must find the files of a router.
    replaceText(placeFile(this.#config.DEFAULT, networkId), place);
    // haproxy must be able to listen before the address is there.
    if (hasIpv6()) await setSysctls({ 'net/ipv6/ip_nonlocal_bind': 1 }, { namespace });
    await run(['nsenter', `--net=${namespacePath(namespace)}`, '--', PROGRAM, '-f', files.conf], {
      timeoutMs: START_MS,
    });
    const started = await waitFor(`haproxy writing ${files.pid}`, () => this.#find(id), PID_FILE_MS);
    this.#running.set(networkId, { ...started, id });
    this.#log.info({ network: networkId, pid: started.pid }, 'haproxy serves metadata');
  }

  async stop(networkId: string): Promise<string | undefined> {
    const ids = this.#ids(networkId);
    this.#running.delete(networkId);
    let stopped: ProcessInfo | undefined;
    for (const id of ids) stopped = (await this.#end(id)) ?? stopped;
    const file = placeFile(this.#config.DEFAULT, networkId);
    if (existsSync(file)) await rm(file, { force: true });
    if (stopped) this.#log.info({ network: networkId, pid: stopped.pid }, 'haproxy stopped');
    return stopped && `haproxy ${stopped.pid}`;
  }

  onDeath(listener: (networkId: string) => void): void {
    this.#listeners.push(listener);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
  }

  #look(): void {
    for (const [networkId, process] of this.#running) {
      if (isRunning(process)) continue;
      this.#running.delete(networkId);
      this.#log.warn({ network: networkId, pid: process.pid }, 'the haproxy of a network died');
      for (const listener of this.#listeners) listener(networkId);
    }
  }

  /** Returns the text that says where the haproxy of a network listens. */
  #place(networkId: string): string | undefined {
    return readText(placeFile(this.#config.DEFAULT, networkId));
  }

  /** Returns whose files the haproxy of a network can have: the network's own, and those of its router. */
  #ids(networkId: string): readonly string[] {
    const router = this.#place(networkId)?.split(' ')[1]?.trim() ?? '';
    return UUID.test(router) ? [networkId, router] : [networkId];
  }

  /** Ends a haproxy, removes its files, and returns it; undefined if it did not run. */
  async #end(id: string): Promise<ProcessInfo | undefined> {
    const found = await this.#find(id);
    if (found) await endProcess(found.pid, GRACE_MS);
    for (const file of Object.values(haproxyFiles(this.#config.DEFAULT, id)))
      if (existsSync(file)) await rm(file, { force: true });
    return found;
  }

  /** Returns the process in the pid file, if it is a haproxy with this configuration. */
  async #find(id: string): Promise<ProcessInfo | undefined> {
    const files = haproxyFiles(this.#config.DEFAULT, id);
    const pid = readText(files.pid)?.trim() ?? '';
    const found = /^[1-9]\d{0,9}$/.test(pid) ? await showProcess(Number(pid)) : undefined;
    const [program = '', ...words] = found?.command ?? [];
    return program.split('/').at(-1) === PROGRAM && words.includes(files.conf) ? found : undefined;
  }

  async #conf({ networkId, routerId, devices }: WantedProxy, pidFile: string): Promise<string> {
    const { metadata_proxy_socket, metadata_proxy_user, metadata_proxy_group, debug } = this.#config.DEFAULT;
    return haproxyConf({
      networkId,
      routerId,
      pidFile,
      debug,
      socket: metadata_proxy_socket,
      user: await nameIn('/etc/passwd', metadata_proxy_user || String(process.geteuid?.() ?? 0)),
      group: await nameIn('/etc/group', metadata_proxy_group || String(process.getegid?.() ?? 0)),
      ipv6: hasIpv6() ? devices.map(ipv6Listener) : [],
      rates: rateSettings(this.#config.metadata_rate_limiting),
    });
  }
}

/** Returns the name of a user or group, which haproxy needs; names are returned unchanged (passwd(5), group(5)). */
async function nameIn(file: string, nameOrId: string): Promise<string> {
  const lines = (await readFile(file, 'utf8')).split('\n').map((line) => line.split(':'));
  return lines.find(([, , id]) => id === nameOrId)?.[0] ?? nameOrId;
}
