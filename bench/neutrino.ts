import { dirname, join } from 'node:path';
import { ApiClient } from '../test/support/api-client.ts';
import { NeutrinoProcess } from '../test/support/neutrino.ts';

export interface NeutrinoOptions {
  readonly statePath: string;
  /** Whether to start the agents of this host; default: false (`--no-agents`). */
  readonly agents?: boolean;
  /** Additional flags: `['--host', 'bench1']`. */
  readonly flags?: readonly string[];
}

export interface RunningNeutrino {
  readonly url: string;
  readonly pid: number;
  /** A client without a token. */
  readonly api: ApiClient;
  /** Sends SIGTERM, and SIGKILL if that does not stop it. */
  stop(): Promise<void>;
}

/** Without quotas, because one project gets more resources than it may have by default. */
const UNLIMITED = ['NETWORK', 'SUBNET', 'PORT'].map((resource) => `OS_QUOTAS__QUOTA_${resource}=-1`);
const LAUNCHER = ['env', ...UNLIMITED, join(import.meta.dirname, '../bin/neutrino')] as const;

/** Creates a Neutrino process, started as by a user, with its output in `folder`. */
export const launched = (folder: string, ...words: readonly string[]): NeutrinoProcess =>
  new NeutrinoProcess({ words, folder, launcher: LAUNCHER });

/** Starts `neutrino up` on a free port and waits until its API responds. Throws an error with its last output. */
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
