import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Ini, iniText } from '../../test/interop/config-files.ts';
import { apiClient, type RunningNeutrino } from '../neutrino.ts';

const START_MS = 60_000;
const UPGRADE_MS = 60_000;
const STOP_MS = 20_000;
const LAST_WORDS = 4000;
const LAUNCHER = fileURLToPath(new URL('../../bin/neutrino', import.meta.url));

/** Writes `neutron.conf` into a folder of a process's own; gives its path. */
export function writeConf(folder: string, conf: Ini): string {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'neutron.conf');
  writeFileSync(file, iniText(conf), { mode: 0o600 });
  return file;
}

/** `bin/neutrino db upgrade` with a configuration file. Throws with its last words. */
export async function upgradeDatabase(file: string): Promise<void> {
  const child = spawn(LAUNCHER, ['db', 'upgrade', '--config-file', file], {
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: UPGRADE_MS,
  });
  let words = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    words = (words + text).slice(-LAST_WORDS);
  });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`bin/neutrino db upgrade ended with ${code}:\n${words}`);
}

/** Starts `bin/neutrino server` with a configuration file (`bind_port = 0`), and waits until it says where its API is. */
export async function startServerProcess(file: string): Promise<RunningNeutrino> {
  const child = spawn(LAUNCHER, ['server', '--config-file', file], { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = once(child, 'exit');
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await ended;
    clearTimeout(timer);
  };
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let words = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    words = (words + text).slice(-LAST_WORDS);
    const url = /"ready: API at (http:[^"]+)"/.exec(words)?.[1];
    if (url !== undefined) resolve(url);
  });
  child.once('exit', (code) => reject(new Error(`bin/neutrino server ended with code ${code}:\n${words}`)));
  const timer = setTimeout(
    () => reject(new Error(`bin/neutrino server said no address within ${START_MS} ms:\n${words}`)),
    START_MS,
  );
  try {
    const url = await promise;
    return { url, pid: child.pid ?? 0, stop, ...apiClient(url) };
  } catch (error) {
    await stop();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
