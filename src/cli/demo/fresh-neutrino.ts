import { type ChildProcess, spawn } from 'node:child_process';
import { openSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CommandFailed, run } from '../../linux/run.ts';
import { WaitTimeout, waitFor } from '../../time/wait.ts';
import { CliFailure } from '../process/failure.ts';
import { runningNeutrino } from '../state/lock.ts';
import type { LabOptions } from '../vm/options.ts';

/** A temporary Neutrino with its own state path, a child of this process. */
export interface FreshNeutrino {
  readonly url: string;
  readonly statePath: string;
  /** Stops it, removes what it created on this host, and its state path. */
  stop(): Promise<void>;
}

const START_MS = 60_000;
const STOP_MS = 20_000;
const MAIN = join(import.meta.dirname, '../main.ts');

function neutrino(words: readonly string[]): [string, ...string[]] {
  return [process.execPath, '--disable-warning=ExperimentalWarning', MAIN, ...words];
}

/**
 * Starts `neutrino up` on a free port with a temporary state path, and waits for its API. Throws CliFailure with its last output.
 */
export async function startFreshNeutrino(
  options: LabOptions,
  print: (line: string) => void,
  signal: AbortSignal,
): Promise<FreshNeutrino> {
  const statePath = await mkdtemp(join(tmpdir(), 'neutrino-demo-'));
  print('No Neutrino runs here: starting one for this demo');
  print(`   $ bin/neutrino up --bind-port 0 --state-path ${statePath}`);
  const log = join(statePath, 'up.log');
  const place = ['--state-path', statePath, ...(options.host ? ['--host', options.host] : [])];
  const files = options.configFile.flatMap((file) => ['--config-file', file]);
  const [program, ...words] = neutrino(['up', '--bind-port', '0', ...place, ...files]);
  const output = openSync(log, 'a');
  // In its own process group: Ctrl-C reaches only the demo, which stops Neutrino after it has cleaned up.
  const child = spawn(program, words, { detached: true, stdio: ['ignore', output, output] });

  const stop = async () => {
    await endChild(child);
    await takeDown(statePath, print);
    await rm(statePath, { recursive: true, force: true });
  };
  try {
    const url = await waitForUrl(child, statePath, log, signal);
    return { url, statePath, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function waitForUrl(child: ChildProcess, statePath: string, log: string, signal: AbortSignal): Promise<string> {
  let broken: Error | undefined;
  child.on('error', (error) => {
    broken = error;
  });
  const lastWords = async () => (await readFile(log, 'utf8')).trim().split('\n').slice(-5).join('\n');
  const ready = async () => {
    if (broken) throw new CliFailure(`neutrino up cannot be started: ${broken.message}`);
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new CliFailure(`neutrino up ended at once:\n${await lastWords()}`);
    }
    return (await runningNeutrino(statePath))?.url;
  };
  try {
    return await waitFor('the API', ready, { timeoutMs: START_MS, signal });
  } catch (error) {
    if (!(error instanceof WaitTimeout)) throw error;
    throw new CliFailure(`neutrino up had no API within ${START_MS / 1_000} s:\n${await lastWords()}`);
  }
}

async function endChild(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const killing = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
  child.kill('SIGTERM');
  await ended;
  clearTimeout(killing);
}

async function takeDown(statePath: string, print: (line: string) => void): Promise<void> {
  try {
    await run(neutrino(['down', '--state-path', statePath]), { timeoutMs: 60_000 });
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error;
    print(`neutrino down failed: ${error.message}`);
  }
}
