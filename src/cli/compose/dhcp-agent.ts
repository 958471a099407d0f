import { startDhcpAgent } from '../../agents/dhcp/agent.ts';
import { dhcpDriverKind } from '../../agents/dhcp/drivers/registry.ts';
import type { AgentParts, ComposedAgent } from './agent.ts';

/** Starts the DHCP agent of this host with its driver. Throws if it cannot start, and then leaves nothing running. */
export async function composeDhcpAgent({ config, transport, log }: AgentParts): Promise<ComposedAgent> {
  const driver = dhcpDriverKind(config).create({ config, log });
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
