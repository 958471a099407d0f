import type { Command } from 'commander';
import { collect } from '../config/flags.ts';

/** Adds `dhcp render`. */
export function registerDhcpCommands(program: Command): void {
  program
    .command('dhcp')
    .description('inspect what the DHCP agent generates')
    .command('render')
    .description('print as JSON the files and the command line that dnsmasq would get for a network')
    .argument('<NETWORK.json>', 'a network as get_network_info answers it; - reads standard input')
    .option(
      '--option <NAME=VALUE>',
      'option of the DHCP agent, such as dns_domain=example.org; may be repeated',
      collect,
      [],
    )
    .action(async (file: string, { option }: { readonly option: readonly string[] }) => {
      const { printRenderedDhcp } = await import('./print-rendered.ts');
      printRenderedDhcp(file, option);
    });
}
