import { CommanderError } from 'commander';
import { buildProgram } from './program.ts';

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // The reader of a pipe (`| head`) is gone: there is nothing more to do.
  if (error.code === 'EPIPE') process.exit();
  throw error;
});

try {
  await buildProgram().parseAsync(process.argv);
} catch (error) {
  const { EXIT_USAGE, exitCodeOf, explainFailure } = await import('./process/failure.ts');
  // Commander has printed the help or the error.
  if (error instanceof CommanderError) process.exit(error.exitCode === 0 ? 0 : EXIT_USAGE);
  process.stderr.write(`neutrino: ${explainFailure(error)}\n`);
  process.exit(exitCodeOf(error));
}
