import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { pino } from 'pino';
import type { DhcpDriver } from '../../../../../src/agents/dhcp/contract.ts';
import { createDnsmasqDriver } from '../../../../../src/agents/dhcp/drivers/dnsmasq/driver.ts';
import type { WantedNetwork } from '../../../../../src/agents/dhcp/wanted.ts';
import { type Config, defaultConfig } from '../../../../../src/config/options.ts';
import { run } from '../../../../../src/linux/run.ts';
import { setSysctls } from '../../../../../src/linux/sysctl.ts';
import type { NetworkInfo, PortDocument, SubnetDocument } from '../../../../../src/rpc/documents.ts';
import { CLIENT_SCRIPT, ClientEvents, type Told } from './client-events.ts';

export const isRoot = process.getuid?.() === 0;

/** A machine that runs udhcpc: a namespace of its own on the network's switch. */
export interface Client {
  readonly mac: string;
  readonly namespace: string;
  /** Asks once, as a machine that boots; undefined when nobody answers. */
  ask(extra?: readonly string[]): Promise<Told | undefined>;
  /** Boots and keeps running, so that it renews; resolves with the first lease. */
  boot(): Promise<Told>;
  /** Has the running client renew now; resolves to the events up to the next `bound` or `renew`. */
  renew(): Promise<{ readonly events: readonly string[]; readonly told: Told }>;
  move(mac: string): Promise<void>;
}

/** One network with its namespace, a switch, and whatever clients a test wants; made of real parts, removed by `close`. */
export class World {
  readonly id = randomUUID();
  readonly namespace = `qdhcp-${this.id}`;
  readonly device = 'tapdhcp';
  readonly state: string;
  readonly folder: string;
  /** The script that DHCP clients run (client-events.ts). */
  readonly script: string;
  readonly logged: Record<string, unknown>[] = [];
  readonly #tag = randomBytes(4).toString('hex');
  readonly #switch = `ntsw-${this.#tag}`;
  readonly #namespaces: string[] = [];
  readonly #children: ChildProcess[] = [];
  readonly #drivers: DhcpDriver[] = [];
  /** The folders of all drivers, which stand for hosts. */
  readonly #folders = new Set<string>();

  private constructor(state: string) {
    this.state = state;
    this.folder = join(state, 'dhcp', this.id);
    this.script = join(state, 'client');
  }

  static async create(): Promise<World> {
    const world = new World(await mkdtemp(join(tmpdir(), 'neutrino-dnsmasq-')));
    await chmod(world.state, 0o755);
    await writeFile(world.script, CLIENT_SCRIPT, { mode: 0o755 });
    await world.#addNamespace(world.#switch);
    await run(['ip', '-n', world.#switch, 'link', 'add', 'br0', 'up', 'type', 'bridge']);
    await world.makeNamespace();
    return world;
  }

  async #addNamespace(name: string): Promise<void> {
    await run(['ip', 'netns', 'add', name]);
    this.#namespaces.push(name);
    // Nobody else has these addresses: a machine need not wait a second to be sure of it.
    await setSysctls({ 'net/ipv6/conf/default/accept_dad': 0 }, { namespace: name });
    await run(['ip', '-n', name, 'link', 'set', 'lo', 'up']);
  }

  /** A cable from the switch to a namespace. */
  async #plug(namespace: string, device: string, mac: string): Promise<void> {
    const end = `p${randomBytes(5).toString('hex')}`;
    await run([
      'ip',
      '-n',
      this.#switch,
      'link',
      'add',
      end,
      'type',
      'veth',
      'peer',
      'name',
      device,
      'netns',
      namespace,
    ]);
    await run(['ip', '-n', this.#switch, 'link', 'set', end, 'master', 'br0', 'up']);
    await run(['ip', '-n', namespace, 'link', 'set', device, 'address', mac, 'up']);
  }

  /** The network's own namespace, with the DHCP port's device and its addresses. */
  async makeNamespace(): Promise<void> {
    await this.#addNamespace(this.namespace);
    await this.#plug(this.namespace, this.device, 'fa:16:3e:ff:00:01');
    await run(['ip', '-n', this.namespace, 'addr', 'add', '10.0.0.2/24', 'dev', this.device]);
    await run(['ip', '-n', this.namespace, 'addr', 'add', '10.0.50.2/24', 'dev', this.device]);
  }

  /** Adds an address to the DHCP port's device. */
  async addAddress(cidr: string): Promise<void> {
    await run(['ip', '-n', this.namespace, 'addr', 'add', cidr, 'dev', this.device, 'nodad']);
  }

  async dropNamespace(): Promise<void> {
    await run(['ip', 'netns', 'del', this.namespace]);
  }

  config(options: object = {}): Config {
    const defaults = defaultConfig();
    const paths = { state_path: this.state, dhcp_confs: join(this.state, 'dhcp') };
    return { ...defaults, DEFAULT: { ...defaults.DEFAULT, ...paths, ...options } };
  }

  driver(options: object = {}): DhcpDriver {
    const sink = new Writable({
      write: (line, _encoding, done) => {
        this.logged.push(JSON.parse(String(line)));
        done();
      },
    });
    const config = this.config(options);
    const driver = createDnsmasqDriver({ config, log: pino({ level: 'debug' }, sink) });
    this.#drivers.push(driver);
    this.#folders.add(config.DEFAULT.dhcp_confs);
    return driver;
  }

  port(n: number, more: Partial<PortDocument> = {}): PortDocument {
    return {
      id: `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`,
      network_id: this.id,
      mac_address: macOf(n),
      admin_state_up: true,
      status: 'DOWN',
      device_id: '',
      device_owner: 'compute:nova',
      fixed_ips: [{ subnet_id: 's1', ip_address: `10.0.0.${n}` }],
      ...more,
    };
  }

  readonly dhcpPort: PortDocument = this.port(2, { device_owner: 'network:dhcp', mac_address: 'fa:16:3e:ff:00:01' });

  subnet(id = 's1', cidr = '10.0.0.0/24', more: Partial<SubnetDocument> = {}): SubnetDocument {
    return {
      id,
      network_id: this.id,
      cidr,
      ip_version: 4,
      enable_dhcp: true,
      gateway_ip: cidr.replace(/\d+\/\d+$/, '1'),
      dns_nameservers: [],
      host_routes: [],
      allocation_pools: [],
      ipv6_ra_mode: null,
      ipv6_address_mode: null,
      ...more,
    };
  }

  wanted(ports: readonly PortDocument[], more: Partial<NetworkInfo> = {}): WantedNetwork {
    const info: NetworkInfo = {
      id: this.id,
      admin_state_up: true,
      mtu: 1450,
      tenant_id: 't',
      subnets: [this.subnet()],
      non_local_subnets: [],
      ports: [this.dhcpPort, ...ports],
      ...more,
    };
    return { info, namespace: this.namespace, device: this.device, dhcpPortId: this.dhcpPort.id };
  }

  read(file: string): Promise<string> {
    return readFile(join(this.folder, file), 'utf8');
  }

  async pid(): Promise<number> {
    return Number((await this.read('pid')).trim());
  }

  /** How often dnsmasq has read its files. */
  async reads(): Promise<number> {
    return (await this.read('log')).split('\n').filter((line) => line.endsWith(`read ${join(this.folder, 'opts')}`))
      .length;
  }

  async client(n: number): Promise<Client> {
    const namespace = await this.machine(macOf(n));
    const events = await this.events();
    return new UdhcpcClient(namespace, macOf(n), this.script, events, (child) => this.#children.push(child));
  }

  /** A machine on the switch without a client; returns its namespace, whose device is eth0. */
  async machine(mac: string): Promise<string> {
    const namespace = `ntc-${this.#tag}-${this.#namespaces.length}`;
    await this.#addNamespace(namespace);
    await this.#plug(namespace, 'eth0', mac);
    return namespace;
  }

  /** A tap device on the switch, and the namespace in which a virtual machine opens it. */
  async tap(): Promise<{ readonly namespace: string; readonly device: string }> {
    const device = `t${randomBytes(5).toString('hex')}`;
    await run(['ip', '-n', this.#switch, 'tuntap', 'add', device, 'mode', 'tap']);
    await run(['ip', '-n', this.#switch, 'link', 'set', device, 'master', 'br0', 'up']);
    return { namespace: this.#switch, device };
  }

  /** Where one client's events go. */
  async events(): Promise<ClientEvents> {
    return new ClientEvents(await mkdtemp(join(this.state, 'client-')));
  }

  /** A process in a namespace, ended by `close`. */
  spawn(command: readonly [string, ...string[]]): ChildProcess {
    const [file, ...args] = command;
    const child = spawn(file, args, { stdio: 'ignore' });
    this.#children.push(child);
    return child;
  }

  async close(): Promise<void> {
    for (const child of this.#children) child.kill('SIGKILL');
    for (const driver of this.#drivers) await driver.close();
    for (const dhcp_confs of new Set([join(this.state, 'dhcp'), ...this.#folders])) {
      const last = this.driver({ dhcp_confs });
      for (const id of await last.known()) await last.stop(id);
      await last.close();
    }
    for (const name of this.#namespaces.reverse()) await run(['ip', 'netns', 'del', name], { okCodes: [0, 1] });
    await rm(this.state, { recursive: true, force: true });
  }
}

export const macOf = (n: number): string => `fa:16:3e:00:00:${n.toString(16).padStart(2, '0')}`;

class UdhcpcClient implements Client {
  mac: string;
  readonly namespace: string;
  readonly #script: string;
  readonly #events: ClientEvents;
  readonly #keep: (child: ChildProcess) => void;
  #running: ChildProcess | undefined;

  constructor(
    namespace: string,
    mac: string,
    script: string,
    events: ClientEvents,
    keep: (child: ChildProcess) => void,
  ) {
    this.namespace = namespace;
    this.mac = mac;
    this.#script = script;
    this.#events = events;
    this.#keep = keep;
  }

  #command(more: readonly string[]): [string, ...string[]] {
    const ask = ['mtu', 'staticroutes', 'msstaticroutes', 'broadcast', 'hostname', 'domain'].flatMap((o) => ['-O', o]);
    const enter = ['nsenter', `--net=/run/netns/${this.namespace}`, 'env', `OUT=${this.#events.folder}`] as const;
    return [...enter, 'busybox', 'udhcpc', '-f', '-i', 'eth0', '-s', this.#script, ...ask, ...more];
  }

  async ask(extra: readonly string[] = []): Promise<Told | undefined> {
    const { exitCode } = await run(this.#command(['-q', '-n', '-t', '3', '-T', '1', '-A', '0', ...extra]), {
      okCodes: [0, 1],
    });
    const told = await this.#events.fresh();
    return exitCode === 0 ? told.findLast((one) => one.event === 'bound') : undefined;
  }

  #next(events: string[]): Promise<Told> {
    return this.#events.next(`a lease of ${this.mac}`, ({ event = '' }) => {
      events.push(event);
      return event === 'bound' || event === 'renew';
    });
  }

  async boot(): Promise<Told> {
    const [file, ...args] = this.#command(['-t', '10', '-T', '1', '-A', '1']);
    this.#running = spawn(file, args, { stdio: 'ignore' });
    this.#keep(this.#running);
    return this.#next([]);
  }

  async renew(): Promise<{ events: readonly string[]; told: Told }> {
    const events: string[] = [];
    this.#running?.kill('SIGUSR1');
    const told = await this.#next(events);
    return { events, told };
  }

  async move(mac: string): Promise<void> {
    await run(['ip', '-n', this.namespace, 'link', 'set', 'eth0', 'address', mac]);
    this.mac = mac;
  }
}
