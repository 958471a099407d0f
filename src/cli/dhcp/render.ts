import { renderLeases, renderNetwork } from '../../agents/dhcp/drivers/dnsmasq/render.ts';
import { type Config, defaultConfig } from '../../config/options.ts';
import { ConfigError, parseOption } from '../../config/parse.ts';
import { parseNetwork, readNetwork } from './document.ts';

/** What the dnsmasq driver would write and run for a network. */
export interface RenderedDhcp {
  readonly host: string;
  readonly addn_hosts: string;
  readonly opts: string;
  readonly leases: string;
  /** The arguments, the program first. */
  readonly cmdline: readonly string[];
  readonly enable_dhcp: boolean;
  readonly enable_metadata: boolean;
}

/** Reads options of the agent, `name=value` under their names in [DEFAULT]. Throws ConfigError. */
function readOptions(options: readonly string[]): Partial<Config['DEFAULT']> {
  return Object.fromEntries(
    options.map((option) => {
      const equals = option.indexOf('=');
      if (equals < 1) throw new ConfigError(`--option ${JSON.stringify(option)}: must be name=value`);
      const name = option.slice(0, equals).trim().replaceAll('-', '_');
      return [name, parseOption('DEFAULT', name, option.slice(equals + 1), '--option')];
    }),
  );
}

interface RenderRequest {
  readonly config: Config;
  /** Options that replace those of the configuration, as `name=value`. */
  readonly options: readonly string[];
  /** Receives each value that is left out because dnsmasq cannot be told it. */
  readonly warn?: (message: string) => void;
  /** The DHCP port of this host. Default: the addresses of all DHCP ports count as its own. */
  readonly ownPortId?: string | undefined;
}

/**
 * Renders a network as the dnsmasq driver does: the files' texts, the command line, and whether the network gets DHCP and a
 * metadata proxy.
 *
 * @throws Error naming what is wrong with the document; ConfigError naming an option and what would be right.
 */
export function renderDocument(
  document: unknown,
  { config, options, warn = () => undefined, ownPortId }: RenderRequest,
): RenderedDhcp {
  const DEFAULT = { ...config.DEFAULT, ...readOptions(options) };
  const more = ownPortId === undefined ? {} : { ownPortId };
  const rendered = renderNetwork(readNetwork(document), { ...config, DEFAULT }, more);
  for (const { owner, reason } of rendered.refused) warn(`${owner}: ${reason}`);
  const duration = DEFAULT.dhcp_lease_duration;
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

/** Renders the text of a document under the default options. Paths not given stay as Neutron's configuration files write them. */
export function renderDhcp(
  documentText: string,
  options: readonly string[],
  warn?: (message: string) => void,
): RenderedDhcp {
  const defaults = defaultConfig();
  const { state_path = '$state_path' } = readOptions(options);
  const config = { ...defaults, DEFAULT: { ...defaults.DEFAULT, dhcp_confs: `${state_path}/dhcp` } };
  return renderDocument(parseNetwork(documentText), { config, options, ...(warn ? { warn } : {}) });
}
