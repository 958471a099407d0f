import { Command } from 'commander';
import { registerVmCommands } from '../../src/cli/vm/command.ts';

// The command line with `vm` alone: what a test runs in a process of its own, to be killed.
const program = new Command('neutrino');
registerVmCommands(program);
try {
  await program.parseAsync(process.argv);
} catch (error) {
  process.stderr.write(`neutrino: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
