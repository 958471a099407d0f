import { buildProgram } from './program.ts';

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // The reader of a pipe (`| head`) has gone: nothing more to do.
  if (error.code === 'EPIPE') process.exit();
  throw error;
});

try {
  await buildProgram().parseAsync(process.argv);
} catch (error) {
  const { exitCodeOf, explainFailure } = await import('./process/failure.ts');
  process.stderr.write(`neutrino: ${explainFailure(error)}\n`);
  process.exit(exitCodeOf(error));
}
