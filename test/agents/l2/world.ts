import { randomBytes, randomUUID } from 'node:crypto';
import { pino } from 'pino';
import type { FirewallKind } from '../../../src/agents/firewall/drivers/kind.ts';
import { NOOP } from '../../../src/agents/firewall/drivers/noop/kind.ts';
import { startL2Agent } from '../../../src/agents/l2/agent.ts';
import type { L2DriverKind } from '../../../src/agents/l2/drivers/kind.ts';
import { agentMark } from '../../../src/agents/l2/drivers/linuxbridge/marks.ts';
import { l2DriverKind } from '../../../src/agents/l2/drivers/registry.ts';
import { type Config, defaultConfig } from '../../../src/config/options.ts';
import { type IpCommand, ipBatch, ipQuery } from '../../../src/linux/ip.ts';
import { deleteNamespace, ensureNamespace } from '../../../src/linux/namespaces.ts';
import { tapName } from '../../../src/net/device-names.ts';
import type { RpcArgs, RpcTransport } from '../../../src/rpc/contract.ts';
import type { NetworkInfo } from '../../../src/rpc/documents.ts';
import { createMemoryTransport } from '../../../src/rpc/memory/transport.ts';
import { topicEndpoint } from '../../../src/rpc/topic.ts';
import {
  NETWORK_DELETE_TOPIC,
  NETWORK_UPDATE_TOPIC,
  PORT_DELETE_TOPIC,
  PORT_UPDATE_TOPIC,
} from '../../../src/rpc/topics/l2-agent.ts';
import { type DeviceDetails, PLUGIN_TOPIC } from '../../../src/rpc/topics/plugin.ts';
import { type AgentState, REPORTS_TOPIC } from '../../../src/rpc/topics/reports.ts';
import { SECURITY_GROUP_UPDATE_TOPIC, type SecurityGroupInfo } from '../../../src/rpc/topics/security-groups.ts';
import { waitFor } from '../../../src/time/wait.ts';

/** Long enough for a machine with much else to do; what is waited for takes milliseconds. */
const PATIENCE_MS = 20_000;

/** What `ip -d -j link` says of a device, as far as tests look at it. */
export interface ShownLink {
  readonly ifname: string;
  readonly ifindex: number;
  readonly mtu: number;
  readonly flags: readonly string[];
  readonly master?: string;
  readonly ifalias?: string;
  readonly linkinfo?: { readonly info_kind?: string; readonly info_data?: Readonly<Record<string, unknown>> };
}

/** The server's side of what an L2 agent asks, told and heard over the memory transport. */
class FakeServer {
  /** Ports by device name. */
  readonly devices = new Map<string, DeviceDetails>();
  readonly networks = new Set<string>();
  /** Every call in order, such as `update_device_up tap01234567-89`. */
  readonly heard: string[] = [];
  readonly states: AgentState[] = [];
  /** Rules of the group of all its ports, and members of the group that they name. */
  readonly group = { id: randomUUID(), remote: randomUUID(), members: ['10.0.0.5'], rules: 1 };
  /** Calls of this method fail with this error, once. */
  failOnce: { method: string; error: Error } | undefined;
  readonly #rpc: RpcTransport;

  constructor(rpc: RpcTransport) {
    this.#rpc = rpc;
  }

  infoFor(devices: readonly string[]): SecurityGroupInfo {
    const { id, remote, members, rules } = this.group;
    const ports = devices.flatMap((device) => {
      const { port_id: port, network_id: network } = this.devices.get(device) ?? {};
      return port === undefined || network === undefined ? [] : [{ device, port, network }];
    });
    return {
      devices: Object.fromEntries(
        ports.map(({ device, port, network }) => [
          port,
          {
            ...{
              id: port,
              device,
              network_id: network,
              mac_address: 'fa:16:3e:00:00:01',
              device_owner: 'compute:nova',
            },
            ...{ port_security_enabled: true, fixed_ips: ['10.0.0.5'], allowed_address_pairs: [] },
            ...{ security_groups: [id], security_group_rules: [] },
            ...{ security_group_source_groups: [remote], security_group_remote_address_groups: [] },
          },
        ]),
      ),
      security_groups: {
        [id]: Array.from({ length: rules }, (_, n) => ({
          ...({ direction: 'ingress', ethertype: 'IPv4', protocol: 'tcp' } as const),
          ...{ port_range_min: n + 1, port_range_max: n + 1, remote_group_id: remote },
        })),
      },
      sg_member_ips: { [remote]: { IPv4: members.map((address) => [address, null] as const) } },
    };
  }

  /** Notifies the agent of changed groups. */
  async groupsUpdated(method: 'security_groups_rule_updated' | 'security_groups_member_updated', ids: string[]) {
    await this.#rpc.cast({ topic: SECURITY_GROUP_UPDATE_TOPIC.topic, fanout: true }, method, { security_groups: ids });
  }

  async serve(): Promise<void> {
    const hear = (method: string, what: string): void => {
      this.heard.push(`${method} ${what}`);
      if (this.failOnce?.method === method) {
        const { error } = this.failOnce;
        this.failOnce = undefined;
        throw error;
      }
    };
    await this.#rpc.serve(
      PLUGIN_TOPIC.topic,
      'server',
      topicEndpoint(PLUGIN_TOPIC, {
        get_devices_details_list: ({ devices }) => {
          hear('get_devices_details_list', devices.toSorted().join(' '));
          return devices.map((device) => this.devices.get(device) ?? { device });
        },
        security_group_info_for_devices: ({ devices }) => {
          hear('security_group_info_for_devices', devices.toSorted().join(' '));
          return this.infoFor(devices);
        },
        update_device_up: ({ device }) => {
          hear('update_device_up', device);
          return null;
        },
        update_device_down: ({ device }) => {
          hear('update_device_down', device);
          return { device, exists: this.devices.has(device) };
        },
        get_network_info: ({ network_id }) => {
          hear('get_network_info', network_id);
          return this.networks.has(network_id) ? ({ id: network_id } as NetworkInfo) : null;
        },
      }),
    );
    await this.#rpc.serve(
      REPORTS_TOPIC.topic,
      'server',
      topicEndpoint(REPORTS_TOPIC, {
        report_state: ({ agent_state }) => {
          this.states.push(agent_state.agent_state);
          return this.states.length === 1 ? 'new' : 'alive';
        },
      }),
    );
  }

  /** Makes a port and gives its device's name. */
  port(more: Partial<DeviceDetails> = {}): { device: string; portId: string; networkId: string } {
    const portId = randomUUID();
    const device = tapName(portId);
    const networkId = more.network_id ?? randomUUID();
    this.networks.add(networkId);
    this.devices.set(device, {
      device,
      port_id: portId,
      network_id: networkId,
      mac_address: 'fa:16:3e:00:00:01',
      admin_state_up: true,
      network_type: 'vxlan',
      segmentation_id: 4379,
      physical_network: null,
      mtu: 1450,
      fixed_ips: [],
      device_owner: 'compute:nova',
      ...more,
    });
    return { device, portId, networkId };
  }

  change(device: string, more: Partial<DeviceDetails>): void {
    const details = this.devices.get(device);
    if (details) this.devices.set(device, { ...details, ...more });
  }

  count(what: string): number {
    return this.heard.filter((call) => call === what).length;
  }

  /** Waits until a call has been heard so many times. */
  async hears(what: string, times = 1): Promise<void> {
    await waitFor(`${what} (heard: ${this.heard.join(', ')})`, () => this.count(what) >= times, PATIENCE_MS);
  }

  portUpdate(portId: string, status = 'DOWN', name = ''): Promise<void> {
    return this.#tell(PORT_UPDATE_TOPIC.topic, 'port_update', { port: { id: portId, status, name } });
  }

  portDelete(portId: string): Promise<void> {
    this.devices.delete(tapName(portId));
    return this.#tell(PORT_DELETE_TOPIC.topic, 'port_delete', { port_id: portId });
  }

  networkUpdate(id: string): Promise<void> {
    return this.#tell(NETWORK_UPDATE_TOPIC.topic, 'network_update', { network: { id } });
  }

  networkDelete(id: string): Promise<void> {
    this.networks.delete(id);
    return this.#tell(NETWORK_DELETE_TOPIC.topic, 'network_delete', { network_id: id });
  }

  #tell(topic: string, method: string, args: RpcArgs): Promise<void> {
    return this.#rpc.cast({ topic, fanout: true }, method, args);
  }
}

/** A host (a namespace), a server, and an agent between them when started. */
export class L2World {
  readonly namespace = `t-l2-${randomBytes(4).toString('hex')}`;
  /** The agent's part of the aliases of its devices. */
  readonly mark = agentMark({ host: this.namespace, state_path: defaultConfig().DEFAULT.state_path });
  readonly log: string[] = [];
  readonly rpc = createMemoryTransport({ log: pino({ level: 'silent' }) });
  readonly server = new FakeServer(this.rpc);
  readonly #agents: { close(): Promise<void> }[] = [];
  readonly #onGap: (() => void)[] = [];

  static async create(): Promise<L2World> {
    const world = new L2World();
    await ensureNamespace(world.namespace);
    await world.server.serve();
    return world;
  }

  async startAgent(
    options: Partial<Pick<Config, 'linux_bridge' | 'vxlan'>> = {},
    kinds: { readonly driver?: L2DriverKind; readonly firewall?: FirewallKind } = {},
  ): Promise<{ close(): Promise<void> }> {
    const defaults = defaultConfig();
    const config = { ...defaults, DEFAULT: { ...defaults.DEFAULT, host: this.namespace }, ...options };
    const agent = await startL2Agent({
      config,
      driver: kinds.driver ?? l2DriverKind(config),
      firewall: kinds.firewall ?? NOOP,
      transport: this.#watched(),
      log: pino({ level: 'info' }, { write: (line: string) => this.log.push(line) }),
      namespace: this.namespace,
    });
    this.#agents.push(agent);
    return agent;
  }

  /** Tells the agent that notifications of all topics were lost, as a transport does whose broker forgot them. */
  loseNotifications(): void {
    for (const onGap of this.#onGap) onGap();
  }

  #watched(): RpcTransport {
    const { rpc } = this;
    return {
      call: (...args) => rpc.call(...args),
      cast: (...args) => rpc.cast(...args),
      serve: (topic, server, endpoint, onGap) => {
        if (onGap) this.#onGap.push(onGap);
        return rpc.serve(topic, server, endpoint, onGap);
      },
      close: () => rpc.close(),
    };
  }

  ip(...commands: readonly string[]): Promise<void> {
    return ipBatch(
      commands.map((command): IpCommand => command.split(' ')),
      { namespace: this.namespace },
    );
  }

  /** Makes a device as a hypervisor would. */
  addDevice(name: string): Promise<void> {
    return this.ip(`link add ${name} type veth peer name p${name.slice(3)}`);
  }

  async links(): Promise<ReadonlyMap<string, ShownLink>> {
    const [answer] = await ipQuery([['link', 'show']], { namespace: this.namespace });
    return new Map((answer as ShownLink[]).map((link) => [link.ifname, link]));
  }

  async link(name: string): Promise<ShownLink | undefined> {
    return (await this.links()).get(name);
  }

  /** Waits until the device (undefined: its absence) is as wanted. */
  async sees(name: string, wanted: (link: ShownLink | undefined) => boolean): Promise<void> {
    await waitFor(`${name} as wanted`, async () => wanted(await this.link(name)), PATIENCE_MS);
  }

  /** Waits until something was logged. */
  async logs(pattern: RegExp): Promise<void> {
    await waitFor(`a log line like ${pattern}`, () => this.log.some((line) => pattern.test(line)), PATIENCE_MS);
  }

  async close(): Promise<void> {
    for (const agent of this.#agents) await agent.close();
    await this.rpc.close();
    await deleteNamespace(this.namespace);
  }
}
