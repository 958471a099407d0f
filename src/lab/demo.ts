import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { run } from '../linux/run.ts';
import { waitFor } from '../time/wait.ts';
import { type BootReport, bootMachine, type Lab, type NicRequest } from './boot.ts';
import { findBusybox } from './busybox.ts';
import { LabFailure } from './failure.ts';
import { guestNamespace } from './namespace-guest.ts';
import { removeMachine } from './remove.ts';
import { bootTable, exchangeLine } from './show.ts';
import { printable } from './table.ts';

export interface Scenario {
  readonly lab: Lab;
  /** Returns the path of the file that lists the hosts of a network for the DHCP server. */
  readonly hostsFile: (networkId: string) => string;
  readonly print: (line: string) => void;
  readonly signal: AbortSignal;
}

const LIMITS = { pluggedMs: 60_000, leaseMs: 30_000 };
const FIRST = '10.0.0.0/24';
const SECOND = '10.0.50.0/24';
const CHOSEN = '10.0.50.50';
/** Excludes the chosen address, which could otherwise be allocated to another port. */
const SECOND_POOL = { start: '10.0.50.100', end: '10.0.50.254' };

interface Created {
  readonly id: string;
  readonly [attribute: string]: unknown;
}

/** Generates unique names, so that several demos can run on one Neutrino. */
function drawNames(): { readonly network: string; readonly machine: (letter: string) => string } {
  const tag = randomBytes(2).toString('hex');
  return { network: `demo-${tag}`, machine: (letter) => `demo-${tag}-${letter}` };
}

/** The types of agents that a machine needs on its host (`agent_type`). */
const AGENT_TYPES = ['Linux bridge agent', 'DHCP agent'];

/** Waits for the agents of this host, because they report only some time after Neutrino has started. */
async function waitForAgents({ neutron, host }: Lab, signal: AbortSignal): Promise<void> {
  const alive = async () => {
    const query = new URLSearchParams({ host });
    const answer = (await neutron.request('GET', `/v2.0/agents?${query}`)) as {
      readonly agents: readonly { readonly agent_type: string; readonly alive: boolean }[];
    };
    const types = answer.agents.filter((agent) => agent.alive).map((agent) => agent.agent_type);
    return AGENT_TYPES.every((type) => types.includes(type)) ? true : undefined;
  };
  await waitFor(`a live L2 agent and DHCP agent on host ${host} (GET /v2.0/agents)`, alive, {
    timeoutMs: 15_000,
    signal,
  });
}

/**
 * Runs the demo's scenario on a running Neutrino: a network with two subnets, a machine that gets its address, the DHCP server's
 * entry for it, a second machine, a ping between them, a third machine with a chosen address; then removes everything. Throws
 * LabFailure, after cleaning up, if a machine does not get the address of its port.
 */
export async function runScenario({ lab, hostsFile, print, signal }: Scenario): Promise<void> {
  const names = drawNames();
  const detail = (line: string) => print(`   ${line}`.trimEnd());
  const details = (text: string) => text.split('\n').forEach(detail);
  let step = 0;
  const heading = (text: string) => {
    signal.throwIfAborted();
    step += 1;
    print(`\n${step}  ${text}`);
  };
  const undo: (() => Promise<void>)[] = [];
  const { neutron } = lab;

  async function create(kind: 'network' | 'subnet', attributes: Readonly<Record<string, unknown>>): Promise<Created> {
    const answer = (await neutron.request('POST', `/v2.0/${kind}s`, { [kind]: attributes })) as Record<string, Created>;
    const made = answer[kind];
    if (!made) throw new LabFailure(`POST /v2.0/${kind}s: the response contains no ${kind}`);
    return made;
  }

  async function addSubnet(networkId: string, cidr: string, more: object = {}): Promise<void> {
    const subnet = await create('subnet', { network_id: networkId, ip_version: 4, cidr, ...more });
    const [pool] = (subnet.allocation_pools ?? []) as readonly { readonly start: string; readonly end: string }[];
    detail(`POST /v2.0/subnets    ${cidr.padEnd(14)} router ${subnet.gateway_ip}, pool ${pool?.start} to ${pool?.end}`);
  }

  async function boot(letter: string, nic: NicRequest): Promise<BootReport> {
    const name = names.machine(letter);
    const reporting = { ...lab, say: detail };
    const flag = nic.fixedIp === undefined ? '' : ` --fixed-ip ${nic.fixedIp}`;
    detail(`$ bin/neutrino vm boot ${name} --network ${names.network}${flag}`);
    const request = { name, kind: 'namespace', nics: [nic] } as const;
    const report = await bootMachine(request, reporting, { ...LIMITS, signal }, (message) =>
      detail(exchangeLine(message)),
    );
    undo.push(async () => {
      await removeMachine({ id: report.instance.id, folder: report.folder, instance: report.instance }, lab);
      detail(`machine ${name}: ended, devices gone, port deleted`);
    });
    details(bootTable(report));
    if (!report.right) throw new LabFailure(`machine ${name} did not get the address of its port`);
    return report;
  }

  async function steps(): Promise<void> {
    await waitForAgents(lab, signal);
    heading('A network with two subnets');
    const network = await create('network', { name: names.network });
    undo.push(async () => {
      await neutron.request('DELETE', `/v2.0/networks/${network.id}`);
      detail(`network ${names.network}: deleted with its subnets`);
    });
    detail(`POST /v2.0/networks   ${names.network.padEnd(14)} id ${network.id}, MTU ${network.mtu}`);
    await addSubnet(network.id, FIRST);
    await addSubnet(network.id, SECOND, { allocation_pools: [SECOND_POOL] });
    const nic = { network: network.id };

    heading('A machine: its port, its device, and the DHCP exchange as the server logs it');
    const first = await boot('a', nic);

    heading('The entry of the DHCP server');
    await showHostsFile(hostsFile(network.id), detail);

    heading('A second machine');
    const second = await boot('b', nic);

    heading('From the first machine to the second');
    await ping(first, second, detail);

    heading(`A third machine, with a chosen address in ${SECOND}`);
    const third = await boot('c', { ...nic, fixedIp: CHOSEN });

    heading('From the third machine to the first, in the other subnet: both have a route by DHCP (option 121)');
    await ping(third, first, detail);
    signal.throwIfAborted();
  }

  let failure: unknown;
  try {
    await steps();
  } catch (error) {
    failure = signal.aborted ? signal.reason : error;
    print(`\nFailed: ${failure instanceof Error ? failure.message : String(failure)}`);
  }
  print('\nCleaning up');
  for (const part of undo.reverse()) {
    try {
      await part();
    } catch (error) {
      failure ??= error;
      detail(error instanceof Error ? error.message : String(error));
    }
  }
  if (failure !== undefined) throw failure;
}

async function showHostsFile(path: string, detail: (line: string) => void): Promise<void> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) {
    detail(
      `${path} does not exist: the DHCP agent of this network runs on another host, or its driver uses no such file`,
    );
    return;
  }
  detail(`$ cat ${path}`);
  for (const line of text.trimEnd().split('\n').slice(0, 20)) detail(printable(line));
}

/** Shows a ping between two machines; throws if there is no reply. */
async function ping(from: BootReport, to: BootReport, detail: (line: string) => void): Promise<void> {
  const namespace = guestNamespace(from.instance.id);
  const address = to.nics[0]?.lease?.address ?? '';
  detail(`$ ip netns exec ${namespace} ping -c 2 ${address}`);
  const command = [
    'ip',
    'netns',
    'exec',
    namespace,
    await findBusybox(),
    'ping',
    '-c',
    '2',
    '-W',
    '5',
    address,
  ] as const;
  const { stdout, exitCode } = await run([...command], { okCodes: [0, 1], timeoutMs: 30_000 });
  for (const line of stdout.split('\n').filter((one) => /bytes from|packets|round-trip/.test(one))) detail(line);
  if (exitCode !== 0) throw new LabFailure(`${from.instance.name} got no reply from ${to.instance.name} at ${address}`);
}
