import { createHash } from 'node:crypto';
import type { L2Driver, WiringOutcome } from '../../src/agents/l2/contract.ts';
import type { L2DriverKind, L2DriverParts } from '../../src/agents/l2/drivers/kind.ts';
import { type IpCommand, ipBatchAll, isNotFound } from '../../src/linux/ip.ts';
import type { MonitoredLink } from '../../src/linux/link-monitor.ts';
import { type Link, listLinks } from '../../src/linux/links.ts';
import type { DeviceDetails } from '../../src/rpc/topics/plugin.ts';

/**
 * An L2 driver in one file: one bridge per network, only on this host. A real one also connects hosts, and runs fewer
 * processes. Listed in `src/agents/l2/drivers/registry.ts`, it is selected by `[agent] l2_driver = example`.
 */
export const EXAMPLE_L2_DRIVER: L2DriverKind = {
  name: 'example',
  programs: { ip: 'iproute2' },
  // Servers bind ports to hosts whose agent has a matching type and configurations.
  agent: { binary: 'neutron-example-agent', agent_type: 'Example agent' },
  agentId: (host) => `example-${host}`,
  configurations: () => ({ bridge_mappings: {}, tunnel_types: ['vxlan'] }),
  create: (parts) => new ExampleDriver(parts),
  mark: markOfAgent,
  networkOf: ({ kind, alias }) => (kind === 'bridge' ? MARK.exec(alias ?? '')?.[1] : undefined),

  // For `neutrino down`: without the agent, and for the networks of one state path only.
  async removeDevices({ networks, ...where }) {
    const own = (await listLinks(where)).filter((link) => {
      const network = EXAMPLE_L2_DRIVER.networkOf(link);
      return network !== undefined && (networks?.has(network) ?? true);
    });
    await deleteLinks(own, where);
    return own.map(({ name }) => name);
  },
};

// Devices are found again by their alias, which survives the process. It names the network and the agent: two may share a machine.
const MARK = /^example:([0-9a-f-]{36})@/;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

function markOfAgent({ host, state_path }: { readonly host: string; readonly state_path: string }): string {
  return `@${createHash('sha1').update(`${host} ${state_path}`).digest('hex').slice(0, 8)}`;
}

const bridgeOf = (networkId: string) => `exb${networkId.slice(0, 11)}`;

class ExampleDriver implements L2Driver {
  readonly #parts: L2DriverParts;
  readonly #mark: string;

  constructor(parts: L2DriverParts) {
    this.#parts = parts;
    this.#mark = markOfAgent(parts.config.DEFAULT);
  }

  async wire(devices: readonly DeviceDetails[]): Promise<ReadonlyMap<string, WiringOutcome>> {
    const outcomes = new Map<string, WiringOutcome>();
    // A failure must not prevent others from being wired, so each device has its own outcome.
    for (const details of devices) {
      const error = await this.#wireOne(details).catch((reason: Error) => reason);
      outcomes.set(details.device, error);
    }
    return outcomes;
  }

  async #wireOne(details: DeviceDetails): Promise<WiringOutcome> {
    const { device, network_id = '', mtu = 0, admin_state_up } = details;
    // They become arguments of a command: anything else is an error, which the agent logs and reports.
    if (!UUID.test(network_id) || mtu < 68) throw new Error(`network ${network_id}: want a UUID and an MTU`);
    const link = this.#parts.links().get(device);
    if (!link) return 'gone';
    if (admin_state_up === false) {
      await this.cutOff(device);
      return 'unplugged';
    }
    // Correct state is left unchanged: the work of an earlier process is adopted.
    if (this.isWired(details, link)) return 'plugged';
    const bridge = bridgeOf(network_id);
    if (!this.#parts.links().has(bridge)) {
      const alias = `example:${network_id}${this.#mark}`;
      await this.#run([['link', 'add', 'name', bridge, 'type', 'bridge', 'forward_delay', '0']]).catch(() => undefined);
      await this.#run([['link', 'set', 'dev', bridge, 'alias', alias, 'up']]);
    }
    await this.#run([['link', 'set', 'dev', device, 'mtu', String(mtu), 'master', bridge, 'up']]);
    return 'plugged';
  }

  async cutOff(device: string): Promise<void> {
    if (this.#parts.links().has(device)) await this.#run([['link', 'set', 'dev', device, 'nomaster', 'down']]);
  }

  isWired({ network_id = '', mtu, admin_state_up }: DeviceDetails, link: MonitoredLink): boolean {
    if (admin_state_up === false) return link.master === undefined && !link.up;
    return link.master === bridgeOf(network_id) && link.mtu === mtu && link.up;
  }

  async networks(): Promise<readonly string[]> {
    const links = await listLinks(this.#parts.where);
    return links.flatMap(({ alias = '' }) => (alias.endsWith(this.#mark) ? (MARK.exec(alias)?.[1] ?? []) : []));
  }

  async inUse(networkId: string): Promise<boolean> {
    const links = await listLinks(this.#parts.where);
    return links.some(({ master }) => master === bridgeOf(networkId));
  }

  async removeNetwork(networkId: string): Promise<boolean> {
    const links = await listLinks(this.#parts.where);
    if (links.some(({ master }) => master === bridgeOf(networkId))) return false;
    await deleteLinks(
      links.filter(({ name }) => name === bridgeOf(networkId)),
      this.#parts.where,
    );
    return true;
  }

  vanished(): void {
    // This driver caches nothing that could be outdated.
  }

  async close(): Promise<void> {
    // The devices remain: machines keep their network while the agent is down.
  }

  async #run(commands: readonly IpCommand[]): Promise<void> {
    const [failure] = await ipBatchAll(commands, this.#parts.where);
    if (failure) throw failure;
  }
}

async function deleteLinks(links: readonly Link[], where: L2DriverParts['where']): Promise<void> {
  const failures = await ipBatchAll(
    links.map(({ name }) => ['link', 'delete', 'dev', name]),
    where,
  );
  const failure = failures.find((failed) => !isNotFound(failed));
  if (failure) throw failure;
}
