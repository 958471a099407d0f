import { existsSync } from 'node:fs';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Logger } from 'pino';
import type { Config } from '../../../config/options.ts';
import { showLink } from '../../../linux/links.ts';
import { isInNamespace, namespacePath } from '../../../linux/namespaces.ts';
import { endProcess, isRunning, type ProcessInfo, showProcess } from '../../../linux/processes.ts';
import { run } from '../../../linux/run.ts';
import { setSysctls } from '../../../linux/sysctl.ts';
import { waitFor } from '../../../time/wait.ts';
import { readText, replaceText } from '../text-file.ts';
import type { MetadataProxies, WantedProxy } from './contract.ts';
import { haproxyConf, ipv6Listener } from './haproxy-conf.ts';

const PROGRAM = 'haproxy';
const START_MS = 10_000;
const PID_FILE_MS = 2_000;
const LOOK_MS = 500;
/** Proxies that only pass small answers on need no longer to end. */
const GRACE_MS = 5_000;

type HaproxyConfig = Pick<Config, 'DEFAULT'>;

/** The files of a network's haproxy, where Neutron's agents have them. */
export const haproxyFiles = ({ state_path, external_pids }: Config['DEFAULT'], networkId: string) => ({
  conf: join(state_path, 'ns-metadata-proxy', `${networkId}.conf`),
  pid: join(external_pids, `${networkId}.pid.haproxy`),
  /** Index of the device on which it listens: a file of Neutrino's own. */
  device: join(state_path, 'ns-metadata-proxy', `${networkId}.device`),
});

/** One haproxy for each network, in its namespace, as Neutron's DHCP agent runs them; that of a stock agent is replaced. */
export class HaproxyProxies implements MetadataProxies {
  readonly #config: HaproxyConfig;
  readonly #log: Logger;
  readonly #running = new Map<string, ProcessInfo>();
  readonly #listeners: ((networkId: string) => void)[] = [];
  readonly #timer: NodeJS.Timeout;

  constructor({ config, log }: { readonly config: HaproxyConfig; readonly log: Logger }) {
    this.#config = config;
    this.#log = log;
    // It is a child of init, whose end causes no event here.
    this.#timer = setInterval(() => this.#look(), LOOK_MS).unref();
  }

  async serve(proxy: WantedProxy): Promise<void> {
    const { networkId, namespace } = proxy;
    const files = haproxyFiles(this.#config.DEFAULT, networkId);
    const wanted = await this.#conf(proxy, files.pid);
    // A socket stays with a device that was deleted, even if another one has its name.
    const device = String((await showLink(proxy.device, { namespace }))?.index);
    const found = await this.#find(networkId);
    this.#running.delete(networkId);
    const isRight = (await readText(files.conf)) === wanted && (await readText(files.device)) === device;
    if (found && isRight && (await isInNamespace(found, namespace))) {
      this.#running.set(networkId, found);
      return;
    }
    if (found) await endProcess(found.pid, GRACE_MS);
    await mkdir(dirname(files.conf), { recursive: true });
    await mkdir(dirname(files.pid), { recursive: true });
    await rm(files.pid, { force: true });
    await replaceText(files.conf, wanted);
    // haproxy must be able to listen before the duplicate address detection of the link-local address is over.
    if (ipv6Enabled()) await setSysctls({ 'net/ipv6/ip_nonlocal_bind': 1 }, { namespace });
    await run(['nsenter', `--net=${namespacePath(namespace)}`, '--', PROGRAM, '-f', files.conf], {
      timeoutMs: START_MS,
    });
    const started = await waitFor(`haproxy writing ${files.pid}`, () => this.#find(networkId), PID_FILE_MS);
    await replaceText(files.device, device);
    this.#running.set(networkId, started);
    this.#log.info({ network: networkId, pid: started.pid }, 'haproxy serves metadata');
  }

  async stop(networkId: string): Promise<string | undefined> {
    const files = haproxyFiles(this.#config.DEFAULT, networkId);
    const found = await this.#find(networkId);
    this.#running.delete(networkId);
    if (found) {
      await endProcess(found.pid, GRACE_MS);
      this.#log.info({ network: networkId, pid: found.pid }, 'haproxy stopped');
    }
    for (const file of Object.values(files)) if (existsSync(file)) await rm(file, { force: true });
    return found && `haproxy ${found.pid}`;
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

  /** Returns the process in the pid file, if it is a haproxy with this network's configuration. */
  async #find(networkId: string): Promise<ProcessInfo | undefined> {
    const remembered = this.#running.get(networkId);
    if (remembered && isRunning(remembered)) return remembered;
    const files = haproxyFiles(this.#config.DEFAULT, networkId);
    const pid = (await readText(files.pid))?.trim() ?? '';
    const found = /^[1-9]\d{0,9}$/.test(pid) ? await showProcess(Number(pid)) : undefined;
    const [program = '', ...words] = found?.command ?? [];
    return program.split('/').at(-1) === PROGRAM && words.includes(files.conf) ? found : undefined;
  }

  async #conf({ networkId, routerId, device }: WantedProxy, pidFile: string): Promise<string> {
    const { metadata_proxy_socket, metadata_proxy_user, metadata_proxy_group, debug } = this.#config.DEFAULT;
    return haproxyConf({
      networkId,
      routerId,
      pidFile,
      debug,
      socket: metadata_proxy_socket,
      user: await nameIn('/etc/passwd', metadata_proxy_user || String(process.geteuid?.() ?? 0)),
      group: await nameIn('/etc/group', metadata_proxy_group || String(process.getegid?.() ?? 0)),
      ipv6: ipv6Enabled() ? ipv6Listener(device) : undefined,
    });
  }
}

const ipv6Enabled = (): boolean => existsSync('/proc/sys/net/ipv6');

/** Returns the name of a user or group, which haproxy needs; names are returned unchanged (passwd(5), group(5)). */
async function nameIn(file: string, nameOrId: string): Promise<string> {
  const lines = (await readFile(file, 'utf8')).split('\n').map((line) => line.split(':'));
  return lines.find(([, , id]) => id === nameOrId)?.[0] ?? nameOrId;
}
