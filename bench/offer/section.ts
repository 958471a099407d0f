import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { AGENT_KINDS } from '../../src/cli/agents/kinds.ts';
import { unmetRequirements } from '../../src/cli/agents/requirements.ts';
import { defaultConfig } from '../../src/config/options.ts';
import { run } from '../../src/linux/run.ts';
import { tapName } from '../../src/net/device-names.ts';
import { waitFor } from '../../src/time/wait.ts';
import type { Figure, Ratio, Section, World } from '../contract.ts';
import { type RunningNeutrino, startNeutrino } from '../neutrino.ts';
import { median } from '../spread.ts';
import { type BareDnsmasq, startBareDnsmasq } from './bare-dnsmasq.ts';
import { type DhcpClient, startDhcpClient } from './client.ts';
import { makeServedNetwork, type OfferedPort } from './network.ts';

const SIZES = [10, 1000] as const;
const AGENTS_MS = 60_000;
/** Pause between measurements, so that each begins idle. */
const REST_MS = 150;

/** Measures the time from a port's 201 until its address is offered to its MAC. */
export const offerSection: Section = {
  name: 'offer',
  title:
    'from the 201 of POST /v2.0/ports to the first DHCPOFFER to its MAC (a DISCOVER every 2 ms), ports in sequence',
  async obstacle() {
    const why = await unmetRequirements(AGENT_KINDS, defaultConfig());
    return why.length === 0 ? undefined : why.join('; ');
  },
  async run(world) {
    const ends: (() => Promise<unknown>)[] = [];
    try {
      const unique = randomBytes(2).toString('hex');
      const host = `bench-${unique}`;
      const statePath = join(world.folder, 'offer');
      const flags = ['--host', host];
      const neutrino = await startNeutrino({ statePath, agents: true, flags });
      const launcher = fileURLToPath(new URL('../../bin/neutrino', import.meta.url));
      ends.push(() => run([launcher, 'down', '--state-path', statePath, ...flags], { timeoutMs: AGENTS_MS }));
      ends.push(neutrino.stop);
      await agentsAlive(neutrino, host);
      const figures: Figure[] = [];
      const ratio: Ratio[] = [];
      for (const [i, size] of SIZES.entries()) {
        world.progress(`a network with ${size} ports`);
        const network = await makeServedNetwork(neutrino, statePath, `10.${100 + i}.0.0/16`, host, size - 1);
        const port = (values: object) =>
          createPort(neutrino, { network_id: network, 'binding:host_id': host, ...values });
        const client = await plugged(await port({}), `b${unique}-${i}`);
        ends.push(client.stop);
        const folder = join(world.folder, `bare-${size}`);
        mkdirSync(folder);
        const bare = await startBareDnsmasq(`b${unique}${i}`, folder, hostsOf(size));
        ends.push(bare.stop);
        const measured = await measure(world, { size, client, bare, port });
        figures.push(...measured.figures);
        ratio.push(...measured.ratios);
      }
      return { figures, ratios: ratio };
    } finally {
      for (const end of ends.reverse()) await end();
    }
  },
};

interface Parts {
  readonly size: number;
  readonly client: DhcpClient;
  readonly bare: BareDnsmasq;
  port(values: object): Promise<OfferedPort>;
}

async function measure(world: World, { size, client, bare, port }: Parts) {
  const rounds = world.quick ? 5 : 31;
  const after = { answer: [] as number[], request: [] as number[], folder: [] as number[], signal: [] as number[] };
  for (let round = 0; round <= rounds; round++) {
    const ours = await ourOffer(client, port, macOf(1, round));
    const folder = await bareOffer(bare.client, bare.addByFolder, round * 2);
    const signal = await bareOffer(bare.client, bare.addBySignal, round * 2 + 1);
    // Everything is cold in the first round.
    if (round === 0) continue;
    after.answer.push(ours.sinceAnswer);
    after.request.push(ours.sinceRequest);
    after.folder.push(folder);
    after.signal.push(signal);
  }
  // The bare figures are too small for single rounds to be meaningful.
  const beside = (bare: readonly number[]) => after.answer.map((value) => value / median(bare));
  world.progress(`${size} ports: median ${median(after.answer).toFixed(1)} ms after the 201`);
  return {
    figures: [
      { what: `${size} ports: after the 201`, unit: 'ms', rounds: after.answer },
      { what: `${size} ports: after sending the request`, unit: 'ms', rounds: after.request },
      { what: `${size} hosts: bare dnsmasq, after a file in --dhcp-hostsdir`, unit: 'ms', rounds: after.folder },
      {
        what: `${size} hosts: bare dnsmasq, after a line in its hosts file and SIGHUP`,
        unit: 'ms',
        rounds: after.signal,
      },
    ],
    ratios: [
      { what: `${size} ports: after the 201 / after a file`, rounds: beside(after.folder) },
      { what: `${size} ports: after the 201 / after SIGHUP`, rounds: beside(after.signal) },
    ],
  };
}

const ms = (from: bigint, to: bigint): number => Number(to - from) / 1e6;

async function ourOffer(client: DhcpClient, port: Parts['port'], mac: string) {
  await delay(REST_MS + Math.random() * 20);
  await client.ask(mac);
  const sent = process.hrtime.bigint();
  const made = await port({ mac_address: mac });
  const answered = process.hrtime.bigint();
  const { address, at } = await client.offer();
  const wanted = made.fixed_ips[0]?.ip_address;
  if (address !== wanted) throw new Error(`${mac} was offered ${address} instead of ${wanted}`);
  return { sinceAnswer: ms(answered, at), sinceRequest: ms(sent, at) };
}

async function bareOffer(client: DhcpClient, add: BareDnsmasq['addByFolder'], index: number): Promise<number> {
  await delay(REST_MS + Math.random() * 20);
  const mac = macOf(2, index);
  await client.ask(mac);
  const there = add(mac, `10.2.${index >> 8}.${(index & 255) + 1}`);
  return ms(there, (await client.offer()).at);
}

const macOf = (kind: number, index: number): string =>
  `0a:1${kind}:00:00:${(index >> 8).toString(16).padStart(2, '0')}:${(index & 255).toString(16).padStart(2, '0')}`;

/** Returns the initial hosts of a bare dnsmasq. */
const hostsOf = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, i) => `${macOf(3, i)},host-10-1-${i >> 8}-${i & 255},10.1.${i >> 8}.${i & 255}`);

async function createPort(neutrino: RunningNeutrino, values: object): Promise<OfferedPort> {
  const port = { device_owner: 'compute:nova', device_id: 'bench', ...values };
  return (await neutrino.api.post<{ port: OfferedPort }>('ports', { port })).port;
}

/**
 * Plugs a client into the port's network through a device that the L2 agent wires, as Nova does for machines. Waits for its
 * offer.
 */
async function plugged(port: OfferedPort, namespace: string): Promise<DhcpClient> {
  const client = await startDhcpClient(namespace, tapName(port.id));
  try {
    await client.ask(port.mac_address);
    await client.offer();
    return client;
  } catch (error) {
    await client.stop();
    throw error;
  }
}

async function agentsAlive(neutrino: RunningNeutrino, host: string): Promise<void> {
  const alive = async () => (await neutrino.api.agents(`host=${host}`)).filter((agent) => agent.alive).length >= 2;
  await waitFor(`two live agents of ${host}`, alive, AGENTS_MS);
}
