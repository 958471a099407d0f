import type { Command } from 'commander';
import { type CommandOptions, configInputs, placeFlags, withConfigFlags } from '../config/flags.ts';

const print = (line: string) => void process.stdout.write(`${line}\n`);

/** Adds `backup` and `restore`. */
export function registerBackupCommands(program: Command): void {
  withConfigFlags(
    program
      .command('backup')
      .description('copy the database of a state path to a file, also while Neutrino runs')
      .argument('<FILE>', 'the file to create; an existing one is not overwritten'),
    ['--state-path'],
  ).action(async (file: string, options: CommandOptions) => {
    const [{ backUp }, { loadConfig }] = await Promise.all([import('./backup.ts'), import('../../config/load.ts')]);
    const inputs = configInputs(options);
    const loaded = loadConfig(inputs);
    await backUp(loaded.config, file, placeFlags(inputs, loaded), print);
  });
  withConfigFlags(
    program
      .command('restore')
      .description('put a backup in the place of the database of a state path; Neutrino must be stopped')
      .argument('<FILE>', 'a file that "neutrino backup" created')
      .option('--force', 'move an existing database aside instead of refusing; it is not deleted'),
    ['--state-path'],
  ).action(async (file: string, options: CommandOptions) => {
    const [{ restore }, { loadConfig }] = await Promise.all([import('./restore.ts'), import('../../config/load.ts')]);
    const inputs = configInputs(options);
    const loaded = loadConfig(inputs);
    const wishes = { force: options.force === true, place: placeFlags(inputs, loaded) };
    await restore(loaded.config, file, wishes, print);
  });
}
