import type { Command } from 'commander';
import { type CommandOptions, configInputs, withConfigFlags } from './flags.ts';

/** Adds `config show` and `config reference`. */
export function registerConfigCommands(program: Command): void {
  const config = program.command('config').description('inspect the configuration');
  withConfigFlags(config.command('show').description('print the values in force and where each comes from')).action(
    async (options: CommandOptions) => {
      const { showConfig } = await import('./show.ts');
      process.stdout.write(showConfig(configInputs(options)));
    },
  );
  config
    .command('reference')
    .description('print the reference of all options as Markdown (docs/configuration.md)')
    .action(async () => {
      const { renderReference } = await import('../../config/reference.ts');
      process.stdout.write(renderReference());
    });
}
