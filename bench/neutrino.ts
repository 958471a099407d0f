import { dirname, join } from 'node:path';
import { ApiClient } from '../test/support/api-client.ts';
import { NeutrinoProcess } from '../test/support/neutrino.ts';

export interface NeutrinoOptions {
  readonly statePath: string;
  /** With the agents of this host; default: false (`--no-agents`). */
  readonly agents?: boolean;
  /** Further flags: `['--host', 'bench1']`. */
  readonly flags?: readonly string[];
}

export interface RunningNeutrino {
  readonly url: string;
  readonly pid: number;
  readonly api: ApiClient;
  /** SIGTERM, then SIGKILL when that does not help. */
  stop(): Promise<void>;
}

const LAUNCHER = join(import.meta.dirname, '../bin/neutrino');

/** Makes a process of Neutrino as its user starts it; its output is kept in `folder`. */
export const launched = (folder: string, ...words: readonly string[]): NeutrinoProcess =>
  new NeutrinoProcess({ words, folder, launcher: [LAUNCHER] });

/** Starts the whole of Neutrino on a free port and waits until its API answers. Throws with its last words. */
export async function startNeutrino({
  statePath,
  agents = false,
  flags = [],
}: NeutrinoOptions): Promise<RunningNeutrino> {
  const place = ['--state-path', statePath, '--bind-host', '127.0.0.1', '--bind-port', '0'];
  const more = agents ? flags : [...flags, '--no-agents'];
  return serving(launched(`${statePath}-output`, 'up', ...place, ...more), (up) => up.url());
}

/** Starts `neutrino server` with a configuration file (`bind_port = 0`) and waits until it is ready. */
export async function startServer(file: string): Promise<RunningNeutrino> {
  return serving(launched(dirname(file), 'server', '--config-file', file), (server) => server.ready());
}

async function serving(
  process: NeutrinoProcess,
  ready: (process: NeutrinoProcess) => Promise<string>,
): Promise<RunningNeutrino> {
  await process.start();
  try {
    const url = await ready(process);
    return { url, pid: process.pid, api: new ApiClient(url), stop: () => process.shutDown() };
  } catch (error) {
    await process.shutDown();
    throw error;
  }
}
