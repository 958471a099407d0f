import type { Command } from 'commander';
import { loadConfig } from '../../config/load.ts';
import { type CommandOptions, configInputs, withConfigFlags } from './flags.ts';

/** Adds `config show` and `config reference`. */
export function registerConfigCommands(program: Command): void {
  const config = program.command('config').description('inspect the configuration');
  withConfigFlags(config.command('show').description('print the effective values and their sources')).action(
    async (options: CommandOptions) => {
      const { showConfig } = await import('./show.ts');
      const { runningNeutrino } = await import('../state/lock.ts');
      const inputs = configInputs(options);
      const running = await runningNeutrino(loadConfig(inputs).config.DEFAULT.state_path);
      process.stdout.write(showConfig(inputs, running));
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
