import type { Command } from 'commander';

/** Adds `demo`: the whole story of a port, on a running Neutrino or on a fresh one that ends with it. */
export function registerDemoCommand(program: Command): void {
  program
    .command('demo')
    .description('show how machines get their addresses: on a running Neutrino, or on a fresh one that goes afterwards')
    .option('--url <URL>', 'the API of a running Neutrino')
    .option('--state-path <FOLDER>', 'state path of a running Neutrino')
    .option('--host <NAME>', 'name of this host as its agents report it')
    .option(
      '--config-file <FILE>',
      'INI file with options as in neutron.conf; may be repeated',
      (file: string, earlier: readonly string[] | undefined): readonly string[] => [...(earlier ?? []), file],
    )
    .action(async (options) => {
      const { runDemo } = await import('./demo-command.ts');
      await runDemo(options);
    });
}
