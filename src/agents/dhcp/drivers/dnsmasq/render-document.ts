import type { Config } from '../../../../config/options.ts';
import type { NetworkInfo } from '../../../../rpc/documents.ts';
import type { RenderOptions } from '../kind.ts';
import { renderLeases, renderNetwork } from './render.ts';

/**
 * Renders what the driver would write and run for a network, by the names of its files: texts, command line (the program first),
 * and whether the network gets DHCP and a metadata proxy.
 */
export function renderDocument(
  network: NetworkInfo,
  config: Config,
  { warn = () => undefined, ownPortId }: RenderOptions = {},
): Readonly<Record<string, unknown>> {
  const rendered = renderNetwork(network, config, ownPortId === undefined ? {} : { ownPortId });
  for (const { owner, reason } of rendered.refused) warn(`${owner}: ${reason}`);
  const { dhcp_lease_duration: duration } = config.DEFAULT;
  const expires = duration < 0 ? 0 : Math.floor(Date.now() / 1000) + duration;
  return {
    host: rendered.host,
    addn_hosts: rendered.addnHosts,
    opts: rendered.opts,
    leases: renderLeases(rendered.entitled, expires),
    cmdline: rendered.commandLine,
    enable_dhcp: rendered.enableDhcp,
    enable_metadata: rendered.enableMetadata,
  };
}
