import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { expect, vi } from 'vitest';
import { startDhcpAgent } from '../../../src/agents/dhcp/agent.ts';
import type { DhcpDriver } from '../../../src/agents/dhcp/contract.ts';
import type { DeviceSpec } from '../../../src/agents/dhcp/device-plan.ts';
import type { DhcpDevices } from '../../../src/agents/dhcp/devices.ts';
import type { PortChanges, WantedNetwork } from '../../../src/agents/dhcp/wanted.ts';
import { type Config, defaultConfig } from '../../../src/config/options.ts';
import { dhcpDeviceId } from '../../../src/net/dhcp-device-id.ts';
import type { RpcArgs, RpcTransport } from '../../../src/rpc/contract.ts';
import type { NetworkInfo, PortDocument } from '../../../src/rpc/documents.ts';
import { createMemoryTransport } from '../../../src/rpc/memory/transport.ts';
import { topicClient } from '../../../src/rpc/topic.ts';
import { DHCP_AGENT_TOPIC } from '../../../src/rpc/topics/dhcp-agent.ts';
import { PLUGIN_TOPIC } from '../../../src/rpc/topics/plugin.ts';
import { REPORTS_TOPIC } from '../../../src/rpc/topics/reports.ts';
import { port } from './documents.ts';

interface Called {
  readonly method: string;
  readonly args: RpcArgs;
}

/** A server that keeps networks in a map and writes down what it is asked. */
class FakeServer {
  readonly host: string;
  readonly networks = new Map<string, NetworkInfo>();
  /** Networks that exist but are another agent's. */
  readonly elsewhere = new Set<string>();
  readonly calls: Called[] = [];
  /** Networks of a page; a server that knows of no pages when it is undefined. */
  pageOf: number | undefined;
  /** Runs before a method is answered; may throw (the agent gets a RemoteError) or wait. */
  before: (called: Called) => unknown = () => undefined;
  reportAnswer: () => 'new' | 'alive' | 'revived' = () => 'alive';
  #addresses = 1;

  constructor(host: string) {
    this.host = host;
  }

  put(info: NetworkInfo): NetworkInfo {
    this.networks.set(info.id, info);
    return info;
  }

  called(method: string): RpcArgs[] {
    return this.calls.filter((call) => call.method === method).map((call) => call.args);
  }

  /** Default: the port of the agent on the whole network. */
  dhcpPort(networkId: string, deviceId = dhcpDeviceId(this.host, networkId)): PortDocument | undefined {
    return this.networks.get(networkId)?.ports.find((one) => one.device_id === deviceId);
  }

  /** Ports with their DHCP readiness told, in order. */
  ready(): string[] {
    return this.called('dhcp_ready_on_ports').flatMap((args) => args.port_ids as string[]);
  }

  async serve(transport: RpcTransport): Promise<void> {
    const answer = (method: string, handler: (args: RpcArgs) => unknown) => async (args: RpcArgs) => {
      const called = { method, args };
      this.calls.push(called);
      await this.before(called);
      return handler(args);
    };
    await transport.serve(PLUGIN_TOPIC.topic, 'server', {
      version: PLUGIN_TOPIC.version,
      methods: Object.fromEntries(
        Object.entries({
          get_active_networks_info: (args: RpcArgs) => this.#active(args),
          get_network_info: ({ network_id }: RpcArgs) => this.networks.get(network_id as string) ?? null,
          create_dhcp_port: ({ port: { port: body } }: { port: { port: PortDocument } } & RpcArgs) =>
            this.#create(body),
          update_dhcp_port: (args: { port_id: string; port: { port: PortDocument } } & RpcArgs) =>
            this.#update(args.port_id, args.port.port),
          release_dhcp_port: ({ network_id, device_id }: RpcArgs) =>
            this.#release(network_id as string, device_id as string),
          dhcp_ready_on_ports: () => null,
        }).map(([method, handler]) => [method, answer(method, handler as (args: RpcArgs) => unknown)]),
      ),
    });
    await transport.serve(REPORTS_TOPIC.topic, 'server', {
      version: REPORTS_TOPIC.version,
      methods: { report_state: answer('report_state', () => this.reportAnswer()) },
    });
  }

  #active({ marker = '' }: RpcArgs): unknown {
    const own = [...this.networks.values()].filter((info) => !this.elsewhere.has(info.id));
    // As a stock server: it knows of no pages.
    if (this.pageOf === undefined) return own;
    const rest = own.filter((info) => info.id > (marker as string)).sort((a, b) => (a.id < b.id ? -1 : 1));
    const networks = rest.slice(0, this.pageOf);
    return { networks, next_marker: rest.length > networks.length ? networks.at(-1)?.id : null };
  }

  /** Replaces a port of a network, or adds it. */
  setPort(one: PortDocument): PortDocument {
    const info = this.networks.get(one.network_id) as NetworkInfo;
    const others = info.ports.filter((other) => other.id !== one.id);
    this.networks.set(info.id, { ...info, ports: [...others, one] });
    return one;
  }

  #withAddresses(fixed: PortDocument['fixed_ips']): PortDocument['fixed_ips'] {
    return fixed.map((one) => {
      this.#addresses += 1;
      return { subnet_id: one.subnet_id, ip_address: one.ip_address ?? `10.0.0.${this.#addresses}` };
    });
  }

  #create(body: PortDocument): PortDocument | null {
    if (!this.networks.has(body.network_id)) return null;
    return this.setPort(
      port(body.network_id, { ...body, device_owner: 'network:dhcp', fixed_ips: this.#withAddresses(body.fixed_ips) }),
    );
  }

  #update(portId: string, body: PortDocument): PortDocument | null {
    const before = this.networks.get(body.network_id)?.ports.find((one) => one.id === portId);
    if (!before) return null;
    return this.setPort({
      ...before,
      ...body,
      ...(body.fixed_ips ? { fixed_ips: this.#withAddresses(body.fixed_ips) } : {}),
      revision_number: (before.revision_number ?? 0) + 1,
    });
  }

  #release(networkId: string, deviceId: string): null {
    const own = this.dhcpPort(networkId, deviceId);
    const info = this.networks.get(networkId);
    if (own && info) this.networks.set(networkId, { ...info, ports: info.ports.filter((one) => one.id !== own.id) });
    return null;
  }
}

/** A driver that writes down what it is told, in order. */
class FakeDriver implements DhcpDriver {
  readonly applied: WantedNetwork[] = [];
  /** What each call handed over. */
  readonly handed: ('whole' | PortChanges)[] = [];
  readonly disabled: string[] = [];
  readonly serving = new Map<string, WantedNetwork>();
  /** Files of an earlier process. */
  left: string[] = [];
  before: (network: WantedNetwork) => unknown = () => undefined;
  #listener: (networkId: string) => void = () => undefined;

  async serve(wanted: WantedNetwork): Promise<void> {
    this.handed.push('whole');
    await this.#take(wanted);
  }

  async #take(wanted: WantedNetwork): Promise<void> {
    this.applied.push(wanted);
    await this.before(wanted);
    this.serving.set(wanted.info.id, wanted);
  }

  async portsChanged(networkId: string, { set, removed }: PortChanges): Promise<void> {
    const before = this.serving.get(networkId);
    if (!before) throw new Error(`network ${networkId}: ports changed before it was served`);
    const gone = new Set([...removed, ...set.map((one) => one.id)]);
    const ports = [...before.info.ports.filter((one) => !gone.has(one.id)), ...set];
    this.handed.push({ set, removed });
    await this.#take({ ...before, info: { ...before.info, ports } });
  }

  /** Milliseconds that the next changes of ports should be collected. */
  rests: () => number = () => 0;

  restMs(): number {
    return this.rests();
  }

  async stop(networkId: string): Promise<undefined> {
    this.disabled.push(networkId);
    this.left = this.left.filter((id) => id !== networkId);
    this.serving.delete(networkId);
  }

  async known(): Promise<readonly string[]> {
    return [...this.left, ...this.serving.keys()];
  }

  onDeath(listener: (networkId: string) => void): void {
    this.#listener = listener;
  }

  die(networkId: string): void {
    this.serving.delete(networkId);
    this.#listener(networkId);
  }

  async close(): Promise<void> {
    throw new Error("the driver is not the agent's to close");
  }

  passes(networkId: string): WantedNetwork[] {
    return this.applied.filter((wanted) => wanted.info.id === networkId);
  }

  /** Ports that are served, without the agent's own. */
  ports(networkId: string): PortDocument[] | undefined {
    const wanted = this.serving.get(networkId);
    return wanted?.info.ports.filter((one) => one.id !== wanted.dhcpPortId);
  }
}

class FakeDevices implements DhcpDevices {
  readonly ensured: DeviceSpec[] = [];
  readonly siblings: (readonly string[])[] = [];
  readonly removed: string[] = [];
  readonly there = new Map<string, DeviceSpec>();
  left: string[] = [];
  before: (spec: DeviceSpec) => unknown = () => undefined;
  #listener: (networkId: string) => void = () => undefined;

  async ensure(spec: DeviceSpec, siblings: readonly string[] = []): Promise<void> {
    this.ensured.push(spec);
    this.siblings.push(siblings);
    await this.before(spec);
    this.there.set(spec.networkId, spec);
  }

  async remove(networkId: string): Promise<void> {
    this.removed.push(networkId);
    this.left = this.left.filter((id) => id !== networkId);
    this.there.delete(networkId);
  }

  async owned(): Promise<readonly string[]> {
    return [...this.left, ...this.there.keys()];
  }

  onLost(listener: (networkId: string) => void): void {
    this.#listener = listener;
  }

  vanish(networkId: string): void {
    this.there.delete(networkId);
    this.#listener(networkId);
  }

  async close(): Promise<void> {
    throw new Error("these devices are not the agent's to close");
  }
}

/** One agent, one server, and what each did. */
export class World {
  readonly host = `host-${randomUUID().slice(0, 8)}.example.org`;
  readonly lines: { msg: string; level: number; [key: string]: unknown }[] = [];
  readonly log = pino({ level: 'debug' }, { write: (line: string) => this.lines.push(JSON.parse(line)) });
  readonly server = new FakeServer(this.host);
  readonly driver = new FakeDriver();
  readonly devices = new FakeDevices();
  readonly transport = createMemoryTransport({ log: this.log });
  #agent: { close(): Promise<void> } | undefined;
  #served = false;
  #onGap: (() => void) | undefined;

  /** Starts the agent and, by default, the server. */
  async start(
    options: {
      DEFAULT?: Partial<Config['DEFAULT']>;
      agent?: Partial<Config['agent']>;
      server?: boolean;
      /** Default: the one that only remembers. */
      driver?: DhcpDriver;
    } = {},
  ) {
    if (options.server !== false) await this.serve();
    const config = defaultConfig();
    this.#agent = await startDhcpAgent({
      config: {
        ...config,
        DEFAULT: { ...config.DEFAULT, host: this.host, resync_throttle: 0, ...options.DEFAULT },
        agent: { ...config.agent, ...options.agent },
      },
      transport: this.#watched(),
      driver: options.driver ?? this.driver,
      devices: this.devices,
      log: this.log,
    });
  }

  async serve(): Promise<void> {
    if (!this.#served) await this.server.serve(this.transport);
    this.#served = true;
  }

  /** Starts, and waits until all networks of the server are served. */
  async startAndSync(options: Parameters<World['start']>[0] = {}): Promise<void> {
    await this.start(options);
    await this.until(
      () => this.lines.some((line) => line.msg === 'networks synchronised') || expect.fail('not synchronised'),
    );
    await this.settled();
  }

  /** Tells the agent that notifications were lost, as a transport does whose broker forgot them. */
  loseNotifications(): void {
    if (!this.#onGap) throw new Error('the agent does not want to hear of lost notifications');
    this.#onGap();
  }

  #watched(): RpcTransport {
    const { transport } = this;
    return {
      call: (...args) => transport.call(...args),
      cast: (...args) => transport.cast(...args),
      serve: (topic, server, endpoint, onGap) => {
        this.#onGap = onGap;
        return transport.serve(topic, server, endpoint, onGap);
      },
      close: () => transport.close(),
    };
  }

  get notify() {
    const client = topicClient(this.transport, DHCP_AGENT_TOPIC);
    const cast: typeof client.cast = (method, args) => client.cast(method, args, { server: this.host });
    return cast;
  }

  until(check: () => unknown): Promise<unknown> {
    return vi.waitFor(check, { timeout: 20_000, interval: 2 });
  }

  /** Lets everything that was set going come to its end: nothing in this world waits for more than the next turns. */
  async settled(): Promise<void> {
    for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }

  async stop(): Promise<void> {
    await this.#agent?.close();
    this.#agent = undefined;
  }

  async close(): Promise<void> {
    await this.stop();
    await this.transport.close();
  }
}
