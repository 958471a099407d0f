import type { Logger } from 'pino';
import type { Config } from '../../../config/options.ts';
import { tapName } from '../../../net/device-names.ts';
import { isRouterInterface } from '../../../net/device-owners.ts';
import type { NetworkInfo, PortDocument } from '../../../rpc/documents.ts';
import { isMetadataNetwork, wantsMetadata } from '../answers/metadata.ts';
import { shapesNetwork } from '../answers/network.ts';
import type { DhcpDriver } from '../contract.ts';
import type { WantedNetwork } from '../wanted.ts';
import type { MetadataProxies, WantedProxy } from './contract.ts';

interface Parts {
  readonly driver: DhcpDriver;
  readonly proxies: MetadataProxies;
  readonly config: Pick<Config, 'DEFAULT'>;
  readonly log: Logger;
}

/** A network with only the ports that decide about its proxy. */
interface Known extends Omit<WantedNetwork, 'info'> {
  readonly info: Omit<NetworkInfo, 'ports'>;
  readonly ports: Map<string, PortDocument>;
}

/**
 * Returns a DHCP driver that also runs the metadata proxies of the networks that need one. A proxy that cannot start does not
 * keep machines from their addresses: the listener for deaths has it tried again.
 */
export function withMetadata({ driver, proxies, config, log }: Parts): DhcpDriver {
  const networks = new Map<string, Known>();
  const listeners: ((networkId: string) => void)[] = [];
  /** Networks whose failure has been logged. */
  const failing = new Set<string>();

  async function bring(networkId: string, known: Known): Promise<void> {
    const wanted = wantedProxy(known, config.DEFAULT);
    try {
      if (wanted) await proxies.serve(wanted);
      else await proxies.stop(networkId);
      failing.delete(networkId);
    } catch (error) {
      const level = failing.has(networkId) ? 'debug' : 'error';
      failing.add(networkId);
      log[level]({ err: error, network: networkId }, 'the metadata proxy of a network cannot be started; retrying');
      for (const listener of listeners) listener(networkId);
    }
  }

  return {
    async serve(network) {
      await driver.serve(network);
      const { ports, ...info } = network.info;
      const shaping = ports.filter(shapesNetwork).map((port) => [port.id, port] as const);
      const known = { ...network, info, ports: new Map(shaping) };
      networks.set(info.id, known);
      await bring(info.id, known);
    },
    async portsChanged(networkId, changes) {
      await driver.portsChanged(networkId, changes);
      const known = networks.get(networkId);
      if (!known) return;
      const before = wantedProxy(known, config.DEFAULT);
      for (const id of changes.removed) known.ports.delete(id);
      for (const port of changes.set) {
        if (shapesNetwork(port)) known.ports.set(port.id, port);
        else known.ports.delete(port.id);
      }
      const after = wantedProxy(known, config.DEFAULT);
      if (before?.routerId !== after?.routerId || !before !== !after) await bring(networkId, known);
    },
    restMs: (networkId) => driver.restMs?.(networkId) ?? 0,
    async stop(networkId) {
      networks.delete(networkId);
      failing.delete(networkId);
      const stopped = [await proxies.stop(networkId), await driver.stop(networkId)].filter((one) => one !== undefined);
      return stopped.length === 0 ? undefined : stopped.join(', ');
    },
    known: () => driver.known(),
    onDeath(listener) {
      listeners.push(listener);
      driver.onDeath(listener);
      proxies.onDeath(listener);
    },
    async close() {
      await Promise.all([proxies.close(), driver.close()]);
    },
  };
}

/** Returns the proxy that a network needs, if any. */
function wantedProxy(known: Known, options: Config['DEFAULT']): WantedProxy | undefined {
  const info = { ...known.info, ports: [...known.ports.values()] };
  if (!wantsMetadata(info, options)) return undefined;
  // Machines reach a metadata network through their router, which is on their own networks too.
  const isReached = options.enable_metadata_network && isMetadataNetwork(info);
  const router = isReached ? info.ports.find(({ device_owner }) => isRouterInterface(device_owner)) : undefined;
  const { namespace, device, dhcpPortIds = [] } = known;
  const devices = [...new Set([device, ...dhcpPortIds.map(tapName)])];
  return { networkId: info.id, namespace, devices, routerId: router?.device_id };
}
