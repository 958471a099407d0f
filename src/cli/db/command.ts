import type { Command } from 'commander';
import { type CommandOptions, configInputs, withConfigFlags } from '../config/flags.ts';

const print = (line: string) => void process.stdout.write(`${line}\n`);

const STEPS = [
  ['upgrade', 'upgrade it to this version; safe to repeat, and to run several times in parallel', 'upgradeDatabase'],
  ['check', 'exit code 0: current, 1: not current, 2: the database cannot be reached', 'checkDatabase'],
  ['version', 'print the last migration', 'databaseVersion'],
] as const;

/** Adds `db upgrade`, `db check` and `db version`. */
export function registerDbCommands(program: Command): void {
  const db = program.command('db').description("manage the schema of the server's database");
  for (const [name, description, work] of STEPS) {
    withConfigFlags(db.command(name).description(description), ['--state-path']).action(
      async (options: CommandOptions) => {
        const commands = await import('./db.ts');
        await commands[work](configInputs(options), print);
      },
    );
  }
  withConfigFlags(
    db
      .command('rename-host')
      .description('move agents and ports of a host to its new name; its agents must be stopped')
      .argument('<FROM>', 'the former name')
      .argument('<TO>', 'the new name'),
    ['--state-path'],
  ).action(async (from: string, to: string, options: CommandOptions) => {
    const { renameHostOfDatabase } = await import('./db.ts');
    await renameHostOfDatabase(configInputs(options), from, to, print);
  });
}
