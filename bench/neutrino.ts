import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export interface NeutrinoOptions {
  readonly statePath: string;
  /** With the agents of this host; without them (`--no-agents`) unless told. */
  readonly agents?: boolean;
  /** Further flags: `['--host', 'bench1']`. */
  readonly flags?: readonly string[];
}

export interface RunningNeutrino {
  readonly url: string;
  readonly pid: number;
  /** POSTs and gives the parsed answer; throws naming the request unless it was made. */
  create<T>(path: string, body: object): Promise<T>;
  get<T>(path: string): Promise<T>;
  /** SIGTERM, then SIGKILL when that does not help. */
  stop(): Promise<void>;
}

const START_MS = 60_000;
const STOP_MS = 20_000;
const REQUEST_MS = 60_000;
const LAST_WORDS = 4000;

/** Starts the whole of Neutrino as its user does, on a free port, and waits until its API answers. Throws with its last words. */
export async function startNeutrino({
  statePath,
  agents = false,
  flags = [],
}: NeutrinoOptions): Promise<RunningNeutrino> {
  const launcher = fileURLToPath(new URL('../bin/neutrino', import.meta.url));
  const args = ['up', '--state-path', statePath, '--bind-host', '127.0.0.1', '--bind-port', '0', ...flags];
  if (!agents) args.push('--no-agents');
  const child = spawn(launcher, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let words = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    words = (words + text).slice(-LAST_WORDS);
  });
  const ended = once(child, 'exit');
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await ended;
    clearTimeout(timer);
  };
  const deadline = Date.now() + START_MS;
  for (;;) {
    if (child.exitCode !== null) throw new Error(`bin/neutrino up ended with code ${child.exitCode}:\n${words}`);
    const url = announcedUrl(statePath);
    if (url !== undefined) return { url, pid: child.pid ?? 0, stop, ...apiClient(url) };
    if (Date.now() > deadline) {
      await stop();
      throw new Error(`bin/neutrino up said no address within ${START_MS} ms:\n${words}`);
    }
    await delay(20);
  }
}

/** Where `up` says that its API is; undefined while it starts. */
function announcedUrl(statePath: string): string | undefined {
  try {
    return (JSON.parse(readFileSync(join(statePath, 'up.json'), 'utf8')) as { url?: string }).url;
  } catch {
    return undefined;
  }
}

/** Asks the API at `url`. */
export function apiClient(url: string): Pick<RunningNeutrino, 'create' | 'get'> {
  const request = async <T>(method: string, path: string, body?: object): Promise<T> => {
    const response = await fetch(`${url}${path}`, {
      method,
      signal: AbortSignal.timeout(REQUEST_MS),
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text.slice(0, 300)}`);
    return JSON.parse(text) as T;
  };
  return { create: (path, body) => request('POST', path, body), get: (path) => request('GET', path) };
}
