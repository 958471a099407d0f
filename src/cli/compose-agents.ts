import type { Logger } from 'pino';
import { startDhcpAgent } from '../agents/dhcp/agent.ts';
import { createDnsmasqDriver } from '../agents/dhcp/drivers/dnsmasq/driver.ts';
import { startL2Agent } from '../agents/l2/agent.ts';
import type { Config } from '../config/options.ts';
import type { RpcTransport } from '../rpc/contract.ts';
import type { Running } from './lifetime.ts';

/** An agent that runs; closing it leaves what serves machines as it is. */
export interface ComposedAgent extends Running {
  /** Resolves when the server has answered its first report. */
  readonly reported: Promise<void>;
}

export interface AgentParts {
  readonly config: Config;
  /** Stays open when the agent is closed. */
  readonly transport: RpcTransport;
  readonly log: Logger;
}

/** The DHCP agent of this host with its driver. Throws when it cannot start; nothing of it is left then. */
export async function composeDhcpAgent({ config, transport, log }: AgentParts): Promise<ComposedAgent> {
  const driver = createDnsmasqDriver({ config, log });
  try {
    const agent = await startDhcpAgent({ config, transport, driver, log });
    const close = async () => {
      await agent.close();
      await driver.close();
    };
    return { reported: agent.reported, close };
  } catch (error) {
    await driver.close();
    throw error;
  }
}

/** The L2 agent of this host. Throws when it cannot start; nothing of it is left then. */
export async function composeL2Agent({ config, transport, log }: AgentParts): Promise<ComposedAgent> {
  const agent = await startL2Agent({ config, transport, log });
  return { reported: agent.reported, close: () => agent.close() };
}
