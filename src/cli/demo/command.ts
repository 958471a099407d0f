import type { Command } from 'commander';
import { type LabOptions, withLabOptions } from '../vm/options.ts';

/** Adds `demo`: everything that happens to a port, on a running Neutrino or on a fresh one that ends with it. */
export function registerDemoCommand(program: Command): void {
  withLabOptions(program.command('demo'))
    .description(
      'show how machines get their addresses: on a running Neutrino, or on a fresh one that is removed afterwards',
    )
    .action(async (options: LabOptions) => {
      const { runDemo } = await import('./demo.ts');
      await runDemo(options);
    });
}
