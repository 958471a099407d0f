import type { Command } from 'commander';
import { type LabOptions, withLabOptions } from '../vm/options.ts';

/** Adds `demo`, which shows the life of a port on the running Neutrino or on a temporary one. */
export function registerDemoCommand(program: Command): void {
  withLabOptions(program.command('demo'))
    .description('show how machines get their addresses, on the running Neutrino or on a temporary one')
    .action(async (options: LabOptions) => {
      const { runDemo } = await import('./demo.ts');
      await runDemo(options);
    });
}
