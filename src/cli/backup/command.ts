import type { Command } from 'commander';
import { type CommandOptions, configInputs, withConfigFlags } from '../config/flags.ts';

const print = (line: string) => void process.stdout.write(`${line}\n`);

/** Adds `backup` and `restore`. */
export function registerBackupCommands(program: Command): void {
  withConfigFlags(
    program
      .command('backup')
      .description('copy the SQLite database to a file, also while Neutrino runs')
      .argument('<FILE>', 'the file to create'),
    ['--state-path'],
  ).action(async (file: string, options: CommandOptions) => {
    const { backUp } = await import('./backup.ts');
    await backUp(configInputs(options), file, print);
  });
  withConfigFlags(
    program
      .command('restore')
      .description('put a backup in the place of the SQLite database; Neutrino must be stopped')
      .argument('<FILE>', 'a file that "neutrino backup" made')
      .option('--force', 'if there is a database already: move it aside first'),
    ['--state-path'],
  ).action(async (file: string, options: CommandOptions) => {
    const { restore } = await import('./restore.ts');
    await restore(configInputs(options), file, { force: options.force === true }, print);
  });
}
