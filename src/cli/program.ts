import { Command } from 'commander';
import packageJson from '../../package.json' with { type: 'json' };
import { configInputs, withConfigFlags } from './config-flags.ts';
import { registerDemoCommand } from './demo.ts';
import { registerDeploymentCommands } from './deployment.ts';
import { registerVmCommands } from './vm.ts';

const DESCRIPTION = `OpenStack-compatible networks, fixed IPs and DHCP on this machine.

Start it with "neutrino up" and speak Neutron's API v2.0 to http://127.0.0.1:9696.
Everything it keeps lies under the state path (/var/lib/neutrino unless --state-path says otherwise).`;

const EXAMPLES = `
Examples:
  neutrino up                                     everything on this machine (as root)
  neutrino up --no-agents --state-path ./state    the API alone, without root
  neutrino demo                                   see a machine get its address
  neutrino vm boot vm1 --network net1             boot one yourself
  neutrino config show                            the values in force
  neutrino down                                   stop, and remove what it made on this host
`;

const MORE_OPTIONS = `
All other options come from --config-file or the environment (OS_<SECTION>__<NAME>): docs/configuration.md
`;

/** For options that may be repeated. */
const collect = (value: string, earlier: readonly string[]): readonly string[] => [...earlier, value];

/**
 * The command line. What a command does is imported only when it runs, so that each starts fast.
 */
export function buildProgram(): Command {
  const program = new Command('neutrino')
    .description(DESCRIPTION)
    .version(packageJson.version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help, or that of a command')
    .helpCommand('help [command]', 'print the help of a command')
    .addHelpText('after', EXAMPLES)
    .showHelpAfterError('("neutrino --help" and "neutrino COMMAND --help" tell what there is)');

  withConfigFlags(program.command('up').description('start server and agents, and stay until Ctrl-C or SIGTERM'))
    .option('--no-agents', 'the API alone, without DHCP and L2 agent')
    .addHelpText('after', MORE_OPTIONS)
    .action(async (options: { readonly agents: boolean }) => {
      const { runUp } = await import('./up.ts');
      const inputs = configInputs(options as never, process.env);
      await runUp({ inputs, agents: options.agents, version: packageJson.version });
    });

  withConfigFlags(
    program
      .command('down')
      .description(
        'stop the Neutrino of a state path and remove what it made on this host: machines, dnsmasq, namespaces, devices',
      ),
  )
    .option('--purge', 'delete what it keeps under the state path as well: all networks and ports')
    .option('-y, --yes', 'do not ask')
    .action(async (options: { readonly purge?: boolean; readonly yes?: boolean }) => {
      const { runDown } = await import('./down.ts');
      const { purge = false, yes = false } = options;
      await runDown({ inputs: configInputs(options as never, process.env), purge, yes }, (line) => console.log(line));
    });

  const config = program.command('config').description('look at the configuration');
  withConfigFlags(config.command('show').description('print the values in force and where each comes from')).action(
    async (options: Readonly<Record<string, unknown>>) => {
      const { showConfig } = await import('./config-show.ts');
      process.stdout.write(showConfig(configInputs(options, process.env)));
    },
  );
  config
    .command('reference')
    .description('print the reference of all options as Markdown (docs/configuration.md)')
    .action(async () => {
      const { renderReference } = await import('../config/reference.ts');
      process.stdout.write(renderReference());
    });
  const dhcp = program.command('dhcp').description('look at what the DHCP agent makes');
  dhcp
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
      const { printRenderedDhcp } = await import('./dhcp-render-command.ts');
      printRenderedDhcp(file, option);
    });

  registerVmCommands(program);
  registerDemoCommand(program);
  registerDeploymentCommands(program);
  return program;
}
