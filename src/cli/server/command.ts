import type { Command } from 'commander';
import { type CommandOptions, configInputs, STOCK_FILES, withConfigFlags } from '../config/flags.ts';

/** Adds `server`. */
export function registerServerCommand(program: Command): void {
  withConfigFlags(
    program
      .command('server')
      .description(
        'start only the API, with agents connected through RabbitMQ; any number of servers can share one MariaDB or MySQL',
      ),
  )
    .addHelpText('after', STOCK_FILES)
    .action(async (options: CommandOptions) => {
      const { runServer } = await import('./server.ts');
      await runServer(configInputs(options));
    });
}
