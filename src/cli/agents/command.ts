import type { Command } from 'commander';
import type { AgentKind } from '../compose/agent.ts';
import { type CommandOptions, configInputs, STOCK_FILES, withConfigFlags } from '../config/flags.ts';

/** Adds one command for each kind of agent: `dhcp-agent`, `l2-agent`, ... */
export function registerAgentCommands(program: Command, kinds: readonly AgentKind[]): void {
  for (const kind of kinds) {
    withConfigFlags(program.command(kind.name).description(kind.description), [
      '--host',
      '--state-path',
      '--log-format',
    ])
      .option(
        '--rename-host',
        'the name of this host has changed since the last start, and `neutrino db rename-host` has been run',
      )
      .addHelpText('after', STOCK_FILES)
      .action(async (options: CommandOptions) => {
        const { runAgent } = await import('./run.ts');
        await runAgent(kind, kinds, configInputs(options, 'agent'), options.renameHost === true);
      });
  }
}
