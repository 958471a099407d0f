import type { RenderOptions } from '../../agents/dhcp/drivers/kind.ts';
import { dhcpDriverKind } from '../../agents/dhcp/drivers/registry.ts';
import { type Config, defaultConfig, type OptionValue } from '../../config/options.ts';
import { ConfigError, parseOption } from '../../config/parse.ts';
import { parseNetwork, readNetwork } from './document.ts';

/** The files and command line that the DHCP driver generates for a network. */
export type RenderedDhcp = Readonly<Record<string, unknown>>;

/**
 * Parses options of the agent: `name=value`, names as in [DEFAULT]. Throws one ConfigError with a line for every invalid option.
 */
function readOptions(options: readonly string[]): Partial<Config['DEFAULT']> {
  const problems: string[] = [];
  const parsed = options.flatMap((option) => {
    try {
      return [readOption(option)];
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      problems.push(error.message);
      return [];
    }
  });
  if (problems.length > 0) throw new ConfigError(problems.join('\n'));
  return Object.fromEntries(parsed);
}

function readOption(option: string): readonly [string, OptionValue] {
  const equals = option.indexOf('=');
  if (equals < 1) throw new ConfigError(`--option ${JSON.stringify(option)}: must be name=value`);
  const name = option.slice(0, equals).trim().replaceAll('-', '_');
  return [name, parseOption('DEFAULT', name, option.slice(equals + 1), '--option')];
}

interface RenderRequest extends RenderOptions {
  readonly config: Config;
  /** Options that replace those of the configuration, as `name=value`. */
  readonly options: readonly string[];
}

/**
 * Renders a network with the configured DHCP driver.
 *
 * @throws Error that names what is wrong with the document; ConfigError that names every invalid option and what is expected.
 */
export function renderDocument(
  document: unknown,
  { config: configured, options, ...more }: RenderRequest,
): RenderedDhcp {
  const config = { ...configured, DEFAULT: { ...configured.DEFAULT, ...readOptions(options) } };
  const kind = dhcpDriverKind(config);
  if (!kind.render) throw new Error(`dhcp_driver ${kind.name} generates no files`);
  return kind.render(readNetwork(document), config, more);
}

/**
 * Renders the text of a document under the default options. Without a state_path option, paths keep `$state_path`, as in
 * Neutron's configuration files.
 */
export function renderDhcp(
  documentText: string,
  options: readonly string[],
  warn?: (message: string) => void,
): RenderedDhcp {
  const defaults = defaultConfig();
  const { state_path = '$state_path' } = readOptions(options);
  const config = { ...defaults, DEFAULT: { ...defaults.DEFAULT, dhcp_confs: `${state_path}/dhcp` } };
  return renderDocument(parseNetwork(documentText), { config, options, warn });
}
