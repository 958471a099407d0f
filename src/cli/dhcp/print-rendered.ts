import { readFileSync } from 'node:fs';
import { ConfigError } from '../../config/parse.ts';
import { CliFailure } from '../process/failure.ts';
import { renderDhcp } from './render.ts';

/** `neutrino dhcp render`: the rendered network as JSON on standard output, what was left out on standard error. */
export function printRenderedDhcp(file: string, options: readonly string[]): void {
  const rendered = explained(file, () =>
    renderDhcp(readFileSync(file === '-' ? 0 : file, 'utf8'), options, (left) => {
      process.stderr.write(`neutrino: left out: ${left}\n`);
    }),
  );
  process.stdout.write(`${JSON.stringify(rendered, null, 2)}\n`);
}

function explained<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof ConfigError || !(error instanceof Error)) throw error;
    const code = (error as NodeJS.ErrnoException).code;
    throw new CliFailure(`${file}: ${code === 'ENOENT' ? 'no such file' : error.message}`);
  }
}
