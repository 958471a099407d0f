import { startDhcpAgent } from '../../agents/dhcp/agent.ts';
import type { DhcpDriver } from '../../agents/dhcp/contract.ts';
import { dhcpDriverKind } from '../../agents/dhcp/drivers/registry.ts';
import { metadataProxies } from '../../agents/dhcp/metadata/implementations.ts';
import { withMetadata } from '../../agents/dhcp/metadata/with-metadata.ts';
import type { AgentParts, ComposedAgent } from './agent.ts';

/** Returns the configured DHCP driver together with the metadata proxies. */
export function composeDhcpDriver({ config, log }: Pick<AgentParts, 'config' | 'log'>): DhcpDriver {
  const driver = dhcpDriverKind(config).create({ config, log });
  return withMetadata({ driver, proxies: metadataProxies({ config, log }), config, log });
}

/** Starts the DHCP agent of this host with its driver. Throws if it cannot start, and then leaves nothing running. */
export async function composeDhcpAgent({ config, transport, log }: AgentParts): Promise<ComposedAgent> {
  const driver = composeDhcpDriver({ config, log });
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
