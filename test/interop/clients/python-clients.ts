import { join } from 'node:path';
import { Program } from '../../support/program.ts';
import type { Cloud } from './cloud.ts';
import type { Result } from './results.ts';

const SCRIPT = join(import.meta.dirname, 'python_clients.py');

/** Runs the functional tests with a Python library, as the administrator. */
export async function runPythonClient(
  { env, folder }: Cloud,
  library: 'openstacksdk' | 'neutronclient',
): Promise<readonly Result[]> {
  // The system's Python, because a test machine may have another one first in its PATH.
  const command = ['/usr/bin/python3', SCRIPT, library] as const;
  const script = new Program({ name: library, command, folder, env });
  await script.start();
  const code = await script.exitCode(120_000);
  if (code !== 0) throw new Error(`${library} ended with ${code}:\n${script.lastWords()}`);
  return script.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Result);
}
