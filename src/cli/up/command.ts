import { type Command, Option } from 'commander';
import type { AgentKind } from '../compose/agent.ts';
import { type CommandOptions, configInputs, MORE_OPTIONS, withConfigFlags } from '../config/flags.ts';

/** Adds `up`. */
export function registerUpCommand(program: Command, kinds: readonly AgentKind[], version: string): void {
  withConfigFlags(program.command('up').description('start server and agents, and run until Ctrl-C or SIGTERM'))
    .option('--no-agents', 'start only the API')
    .addOption(
      new Option(
        '--rename-host',
        'the name of this host has changed since the last start: move its agents and ports to the new name',
      ).conflicts('agents'),
    )
    .addHelpText('after', MORE_OPTIONS)
    .action(async (options: CommandOptions) => {
      const { runUp } = await import('./up.ts');
      const flags = { agents: options.agents !== false, renameHost: options.renameHost === true };
      await runUp({ inputs: configInputs(options), kinds, version, ...flags });
    });
}
