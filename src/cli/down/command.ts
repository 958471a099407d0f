import type { Command } from 'commander';
import type { AgentKind } from '../compose/agent.ts';
import { type CommandOptions, configInputs, withConfigFlags } from '../config/flags.ts';

const DESCRIPTION =
  'stop the Neutrino of a state path and remove what it created on this host: machines, DHCP servers, namespaces, devices';

/** Adds `down`. */
export function registerDownCommand(program: Command, kinds: readonly AgentKind[]): void {
  withConfigFlags(program.command('down').description(DESCRIPTION))
    .option('--purge', 'also delete the database and files in the state path: all networks and ports')
    .option('-y, --yes', 'do not ask for confirmation')
    .action(async (options: CommandOptions) => {
      const { runDown } = await import('./down.ts');
      const flags = { purge: options.purge === true, yes: options.yes === true };
      await runDown({ inputs: configInputs(options), kinds, ...flags }, (line) => console.log(line));
    });
}
