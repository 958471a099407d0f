import type { Logger } from 'pino';
import type { Config } from '../../../config/options.ts';
import { nativeObstacle } from '../../../linux/native.ts';
import { chosenKind } from '../../common/driver-choice.ts';
import type { MetadataProxies } from './contract.ts';
import { HaproxyProxies } from './haproxy.ts';
import { controlObstacle, NativeProxies } from './native/native-proxies.ts';

type ProxyConfig = Pick<Config, 'DEFAULT' | 'metadata_rate_limiting'>;

interface Parts {
  readonly config: ProxyConfig;
  readonly log: Logger;
}

/** An implementation of the proxies, as a value of `metadata_proxy`. */
export interface MetadataProxyKind {
  readonly name: string;
  /** Returns why it cannot run here, and haproxy takes its place; absent: it always can. */
  obstacle?(config: ProxyConfig): string | undefined;
  create(parts: Parts): MetadataProxies;
}

const FALLBACK = 'haproxy';
const HAPROXY: MetadataProxyKind = { name: FALLBACK, create: (parts) => new HaproxyProxies(parts) };
const NATIVE: MetadataProxyKind = {
  name: 'native',
  obstacle: ({ DEFAULT }) => nativeObstacle() ?? controlObstacle(DEFAULT),
  create: (parts) => new NativeProxies(parts),
};

/** All implementations. */
export const METADATA_PROXIES: readonly MetadataProxyKind[] = [NATIVE, HAPROXY];

/**
 * Returns the proxies that `metadata_proxy` names, or haproxy where those cannot run, which is logged. They remove what another
 * implementation has left on this host.
 */
export function metadataProxies({ config, log }: Parts, kinds = METADATA_PROXIES): MetadataProxies {
  const { metadata_proxy, enable_isolated_metadata, force_metadata } = config.DEFAULT;
  const wanted = chosenKind('[DEFAULT] metadata_proxy', metadata_proxy, kinds);
  const isUsed = enable_isolated_metadata || force_metadata;
  const obstacle = isUsed ? wanted.obstacle?.(config) : undefined;
  if (obstacle !== undefined) log.warn(`metadata_proxy = ${wanted.name} cannot run here, haproxy is used: ${obstacle}`);
  const chosen = obstacle === undefined ? wanted : chosenKind('[DEFAULT] metadata_proxy', FALLBACK, kinds);
  const others = kinds.filter((kind) => kind !== chosen).map((kind) => kind.create({ config, log }));
  return replacing(chosen.create({ config, log }), others);
}

/** Returns proxies that replace those of other implementations. */
function replacing(chosen: MetadataProxies, others: readonly MetadataProxies[]): MetadataProxies {
  const stopOthers = async (networkId: string): Promise<readonly (string | undefined)[]> =>
    Promise.all(others.map((one) => one.stop(networkId)));
  return {
    async serve(proxy) {
      try {
        await chosen.serve(proxy);
      } catch (error) {
        // Both can listen at the same time (SO_REUSEPORT), unless the other one was configured not to.
        if ((await stopOthers(proxy.networkId)).every((one) => one === undefined)) throw error;
        await chosen.serve(proxy);
      }
      await stopOthers(proxy.networkId);
    },
    async stop(networkId) {
      const stopped = [await chosen.stop(networkId), ...(await stopOthers(networkId))].filter(
        (one) => one !== undefined,
      );
      return stopped.length === 0 ? undefined : stopped.join(', ');
    },
    onDeath: (listener) => chosen.onDeath(listener),
    async close() {
      await Promise.all([chosen, ...others].map((one) => one.close()));
    },
  };
}
