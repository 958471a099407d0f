import type { LoadedConfig } from '../../config/load.ts';
import type { Config } from '../../config/options.ts';
import { nativeObstacle } from '../../linux/native.ts';
import { runningNeutrino } from '../state/lock.ts';

/**
 * Returns the configuration of `up`, which differs from that of separate agents where nothing is configured: machines get their
 * metadata from Neutrino unless there is a secret to share with Nova, and in every network with DHCP.
 */
export function upConfig({ config, sources }: Pick<LoadedConfig, 'config' | 'sources'>): Config {
  const isOpen = (name: keyof Config['DEFAULT']) => (sources.get(`DEFAULT.${name}`)?.kind ?? 'default') === 'default';
  const { DEFAULT } = config;
  const local = isOpen('metadata_provider') && DEFAULT.metadata_proxy_shared_secret === '';
  const { metadata_provider } = local ? { metadata_provider: 'local' } : DEFAULT;
  if (!isOpen('enable_isolated_metadata') || nativeObstacle() !== undefined)
    return { ...config, DEFAULT: { ...DEFAULT, metadata_provider } };
  // Also beside routers: `up` runs no L3 agent that would serve metadata there.
  const force_metadata = isOpen('force_metadata') || DEFAULT.force_metadata;
  return { ...config, DEFAULT: { ...DEFAULT, metadata_provider, enable_isolated_metadata: true, force_metadata } };
}

/** Returns the configuration of the DHCP agent of this host: that of `up` if it runs on the state path and has one. */
export async function dhcpAgentConfig(loaded: LoadedConfig): Promise<Config> {
  const { state_path: statePath } = loaded.config.DEFAULT;
  const [up, agent] = await Promise.all([runningNeutrino(statePath), runningNeutrino(statePath, 'dhcp-agent')]);
  return up !== undefined && up.pid === agent?.pid ? upConfig(loaded) : loaded.config;
}
