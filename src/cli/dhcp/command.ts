import { type Command, Option } from 'commander';
import { collect } from '../config/flags.ts';
import { withLabOptions } from '../vm/options.ts';
import type { RenderOptions } from './print-rendered.ts';

/** Adds `dhcp render`. */
export function registerDhcpCommands(program: Command): void {
  const render = program
    .command('dhcp')
    .description('inspect what the DHCP agent generates')
    .command('render')
    .description('print, as JSON, the files and command line that the DHCP driver generates for a network')
    .argument(
      '<NETWORK>',
      'name or id of a network of the running Neutrino, or a file with a network as returned by get_network_info; "-" reads standard input',
    )
    .addOption(
      new Option('--option <NAME=VALUE>', 'option of the DHCP agent, such as dns_domain=example.org; may be repeated')
        .argParser(collect)
        .default([], 'none'),
    );
  withLabOptions(render).action(async (network: string, options: RenderOptions) => {
    const { printRenderedDhcp } = await import('./print-rendered.ts');
    await printRenderedDhcp(network, options);
  });
}
