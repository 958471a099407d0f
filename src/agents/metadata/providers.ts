import type { Logger } from 'pino';
import type { Config } from '../../config/options.ts';
import type { RpcTransport } from '../../rpc/contract.ts';
import { chosenKind } from '../common/driver-choice.ts';
import type { MetadataProvider } from './contract.ts';
import { machineSource } from './local/machine-source.ts';
import { LocalMetadata } from './local/provider.ts';
import { NovaMetadata } from './nova.ts';
import { NovaProvider } from './nova-provider.ts';

interface ProviderParts {
  readonly config: Pick<Config, 'DEFAULT'>;
  readonly transport: RpcTransport;
  /** Milliseconds until a request to the server fails. */
  readonly timeoutMs: number;
  readonly log: Logger;
}

/** A value of `metadata_provider`. */
interface MetadataProviderKind {
  readonly name: string;
  /** Throws ConfigError if it cannot work with the configuration. */
  create(parts: ProviderParts): MetadataProvider;
}

/** All providers. */
const METADATA_PROVIDERS: readonly MetadataProviderKind[] = [
  {
    name: 'nova',
    create({ config, log }) {
      if (config.DEFAULT.metadata_proxy_shared_secret === '')
        log.warn(
          'metadata_proxy_shared_secret is empty: whoever reaches the metadata API can pretend to be any machine',
        );
      return new NovaProvider(new NovaMetadata(config.DEFAULT), log);
    },
  },
  {
    name: 'local',
    create: ({ config, transport, timeoutMs, log }) =>
      new LocalMetadata({ source: machineSource({ transport, timeoutMs }), domain: config.DEFAULT.dns_domain, log }),
  },
];

/** Returns the provider that `metadata_provider` names. Throws ConfigError. */
export const metadataProvider = (parts: ProviderParts): MetadataProvider =>
  chosenKind('[DEFAULT] metadata_provider', parts.config.DEFAULT.metadata_provider, METADATA_PROVIDERS).create(parts);
