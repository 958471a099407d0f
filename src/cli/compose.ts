import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import { startDhcpAgent } from '../agents/dhcp/agent.ts';
import { createDnsmasqDriver } from '../agents/dhcp/drivers/dnsmasq/driver.ts';
import { startL2Agent } from '../agents/l2/agent.ts';
import type { Config } from '../config/options.ts';
import { createMemoryTransport } from '../rpc/memory/transport.ts';
import { startServer } from './server.ts';

export interface NeutrinoParts {
  readonly config: Config;
  /** Whether the agents of this host run beside the server. */
  readonly agents: boolean;
  readonly log: Logger;
}

export interface RunningParts {
  /** Base URL of the API, with the port that was taken. */
  readonly url: string;
  /** Stops server and agents; what serves machines (dnsmasq, bridges) stays. */
  close(): Promise<void>;
}

/** How long a start waits for the agents' first reports; in one process they take milliseconds. */
const FIRST_REPORTS_MS = 5_000;

type Closing = () => Promise<void>;

/** Composition root of `up`: builds everything and wires it. Throws when something cannot start; what had started is stopped. */
export async function startNeutrino({ config, agents, log }: NeutrinoParts): Promise<RunningParts> {
  const closing: Closing[] = [];
  // In the opposite order of their start: agents before the server that they report to, the transport last.
  const close: Closing = async () => {
    for (const stop of closing.splice(0).reverse()) await stop();
  };
  try {
    const transport = createMemoryTransport({ log });
    closing.push(() => transport.close());
    const server = await startServer({ config, transport, log });
    closing.push(() => server.close());
    if (agents) closing.push(...(await startAgents(config, transport, log)));
    return { url: server.url, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function startAgents(
  config: Config,
  transport: ReturnType<typeof createMemoryTransport>,
  log: Logger,
): Promise<readonly Closing[]> {
  const l2 = await startL2Agent({ config, transport, log: log.child({ agent: 'l2' }) });
  const dhcpLog = log.child({ agent: 'dhcp' });
  const driver = createDnsmasqDriver({ config, log: dhcpLog });
  const dhcp = await startDhcpAgent({ config, transport, driver, log: dhcpLog });
  // Who makes a port as soon as Neutrino says that it is up finds its agents known, and the port bound.
  const reported = Promise.all([l2.reported, dhcp.reported]);
  await Promise.race([reported, pause(FIRST_REPORTS_MS, undefined, { ref: false })]);
  return [() => l2.close(), () => driver.close(), () => dhcp.close()];
}
