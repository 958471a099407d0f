import type { PortDocument } from '../../src/rpc/documents.ts';
import { waitFor } from '../../src/time/wait.ts';
import type { HostGuest, TestHost } from '../support/hosts/test-host.ts';
import type { Ini } from '../support/ini.ts';
import { neutrinoCommand } from '../support/neutrino.ts';
import type { Program } from '../support/program.ts';
import { isStock, makeProgram, type Which } from './program.ts';

export type Side = 'stock' | 'neutrino';

const DHCP: Readonly<Record<Side, Which>> = { stock: 'neutron-dhcp-agent', neutrino: 'neutrino dhcp-agent' };
const L2: Readonly<Record<Side, Which>> = { stock: 'neutron-linuxbridge-agent', neutrino: 'neutrino l2-agent' };

export interface AgentHostParts {
  readonly host: TestHost;
  readonly sides: { readonly dhcp: Side; readonly l2: Side };
  readonly statePath: string;
  readonly files: { readonly neutron: Ini; readonly dhcp: Ini; readonly l2: Ini };
  /** Called with each program, for the cloud's list. */
  readonly onProgram: (program: Program) => void;
}

/** A host with a DHCP agent and an L2 agent, each stock or Neutrino's; the files are identical for both. */
export class AgentHost {
  readonly host: TestHost;
  readonly statePath: string;
  readonly l2: Program;
  readonly #parts: AgentHostParts;
  readonly #dhcpAgents = new Map<Side, Program>();
  #dhcp: Program;

  constructor(parts: AgentHostParts) {
    this.#parts = parts;
    this.host = parts.host;
    this.statePath = parts.statePath;
    this.l2 = this.#program(L2[parts.sides.l2], 'linuxbridge_agent.ini', parts.files.l2);
    this.#dhcp = this.#dhcpOf(parts.sides.dhcp);
  }

  get dhcp(): Program {
    return this.#dhcp;
  }

  /** Replaces the DHCP agent with that of the other implementation, with the same files. */
  async swapDhcp(side: Side): Promise<void> {
    await this.#dhcp.shutDown();
    this.#dhcp = this.#dhcpOf(side);
    await this.#dhcp.start();
  }

  /** `neutrino down` with the state path of the host's agents; returns its output. */
  removeFromHost(): Promise<string> {
    const { name } = this.host;
    return this.host.run(...neutrinoCommand(['down', '--state-path', this.statePath, '--host', name]));
  }

  /** Starts a machine with a NIC for each port: `eth0`, `eth1`, ... */
  async boot(...ports: readonly PortDocument[]): Promise<HostGuest> {
    const guest = await this.host.guest(...ports);
    // With a stock L2 agent, the hypervisor plugs the devices of machines.
    if (isStock(this.l2)) for (const port of ports) await plugAsHypervisor(this.host, port);
    return guest;
  }

  #dhcpOf(side: Side): Program {
    const agent = this.#dhcpAgents.get(side) ?? this.#program(DHCP[side], 'dhcp_agent.ini', this.#parts.files.dhcp);
    this.#dhcpAgents.set(side, agent);
    return agent;
  }

  #program(which: Which, name: string, ini: Ini): Program {
    const { host, statePath, files, onProgram } = this.#parts;
    const program = makeProgram({
      which,
      host,
      folder: statePath,
      files: { 'neutron.conf': files.neutron, [name]: ini },
    });
    onProgram(program);
    return program;
  }
}

/** Plugs a device as libvirt does for `<interface type="bridge">`, once the L2 agent has created the network's bridge. */
async function plugAsHypervisor(host: TestHost, port: PortDocument): Promise<void> {
  const bridge = `brq${port.network_id.slice(0, 11)}`;
  await waitFor(
    `bridge ${bridge} on ${host.name}`,
    async () => {
      const set = await host.tryRun('ip', 'link', 'set', 'dev', `tap${port.id.slice(0, 11)}`, 'master', bridge);
      return set.exitCode === 0 || undefined;
    },
    { timeoutMs: 30_000, intervalMs: 100 },
  );
}
