import { loadConfig } from '../../config/load.ts';
import { runScenario } from '../../lab/demo.ts';
import { configInputs } from '../config/flags.ts';
import { CliFailure } from '../process/failure.ts';
import { runningNeutrino } from '../state/lock.ts';
import { abortOnSignal, labOf } from '../vm/lab.ts';
import type { LabOptions } from '../vm/options.ts';
import { startFreshNeutrino } from './fresh-neutrino.ts';

/** `demo`: sets exit code 1 if a machine does not get the addresses of its port. */
export async function runDemo(options: LabOptions): Promise<void> {
  if (process.getuid?.() !== 0)
    throw new CliFailure('the demo needs root, because it creates and removes namespaces and devices');
  const print = (line: string) => void process.stdout.write(`${line}\n`);
  const signal = abortOnSignal();
  const started = performance.now();
  const running =
    options.url !== undefined ||
    (await runningNeutrino(loadConfig(configInputs(options)).config.DEFAULT.state_path))?.url !== undefined;
  if (!running && options.statePath !== undefined) {
    throw new CliFailure(
      `no Neutrino runs on state path ${options.statePath}; without --state-path the demo starts one`,
    );
  }
  const fresh = running ? undefined : await startFreshNeutrino(options, print, signal);
  try {
    const lab = await labOf(fresh ? { ...options, statePath: fresh.statePath, url: fresh.url } : options, print);
    print(`Neutrino at ${lab.neutron.url}${fresh ? ', started for this demo' : ''}`);
    await runScenario({ lab, hostsFile: lab.hostsFile, print, signal });
  } finally {
    await fresh?.stop();
  }
  print(`\nDone in ${((performance.now() - started) / 1_000).toFixed(1)} s. Everything it created has been removed.`);
}
