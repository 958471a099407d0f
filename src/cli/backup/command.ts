import type { Command } from 'commander';
import { type CommandOptions, configInputs, withConfigFlags } from '../config/flags.ts';

const print = (line: string) => void process.stdout.write(`${line}\n`);

/** Adds `backup` and `restore`. */
export function registerBackupCommands(program: Command): void {
  withConfigFlags(
    program
      .command('backup')
      .description('copy the SQLite database to a file, even while Neutrino runs')
      .argument('<FILE>', 'the file to create'),
    ['--state-path'],
  ).action(async (file: string, options: CommandOptions) => {
    const { backUp } = await import('./backup.ts');
    await backUp(configInputs(options), file, print);
  });
  withConfigFlags(
    program
      .command('restore')
      .description('replace the SQLite database with a backup; Neutrino must be stopped')
      .argument('<FILE>', 'a file written by "neutrino backup"')
      .option('--force', 'move an existing database aside first'),
    ['--state-path'],
  ).action(async (file: string, options: CommandOptions) => {
    const { restore } = await import('./restore.ts');
    await restore(configInputs(options), file, { force: options.force === true }, print);
  });
}
