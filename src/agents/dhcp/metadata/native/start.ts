import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { showProcess, signalProcess } from '../../../../linux/processes.ts';
import { waitFor } from '../../../../time/wait.ts';
import { readText } from '../../text-file.ts';
import { Connection, type ConnectionEvents } from './connection.ts';
import { type ProcessSettings, pidFile } from './messages.ts';
import { sourcesOf } from './sources.ts';

const MAIN = join(import.meta.dirname, 'main.ts');
const START_MS = 10_000;
const MAX_OUTPUT = 2_048;
/** Its heap stays small, because requests are streamed. */
const NODE_FLAGS = ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=1', '--max-old-space-size=256'];

/** Returns what identifies a process that was started with these settings from these sources. */
export function processIdentity(settings: Omit<ProcessSettings, 'identity'>): string {
  const sources = [...sourcesOf(MAIN).values()];
  return createHash('sha256')
    .update(JSON.stringify([process.version, settings, sources]))
    .digest('hex');
}

const outputFile = (control: string): string => `${control}.log`;

/** Returns the end of what the process printed: nothing, unless it crashed. */
export function processOutput(control: string): string {
  try {
    return readFileSync(outputFile(control), 'utf8').trim().slice(-MAX_OUTPUT);
  } catch {
    return '';
  }
}

/**
 * Starts the process, which outlives this one, and connects to it; it does not own its control socket's path yet. Throws if it
 * ends before, with what it printed.
 */
export async function startProcess(settings: ProcessSettings, events: ConnectionEvents): Promise<Connection> {
  const output = outputFile(settings.control);
  mkdirSync(dirname(output), { recursive: true });
  // A former process that still finishes requests keeps its file. Sockets are left by one that was killed when it started.
  rmSync(output, { force: true });
  for (const name of readdirSync(dirname(output)))
    if (/^\d+$/.test(name.slice(basename(settings.control).length + 1))) rmSync(join(dirname(output), name));
  const fd = openSync(output, 'w');
  const child = spawn(process.execPath, [...NODE_FLAGS, MAIN, JSON.stringify(settings)], {
    cwd: '/',
    detached: true,
    stdio: ['ignore', fd, fd],
  });
  closeSync(fd);
  child.unref();
  const stop = new AbortController();
  child.once('error', (error) => stop.abort(error));
  child.once('exit', (code, signal) => stop.abort(new Error(`it ended with ${signal ?? `code ${code}`}`)));
  try {
    return await waitFor(
      'the process of the metadata proxies to start',
      () => Connection.find(`${settings.control}.${child.pid}`, events),
      { timeoutMs: START_MS, signal: stop.signal },
    );
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
}

/** Removes the files of a process that has ended. */
export function removeFiles(control: string): void {
  for (const file of [control, pidFile(control), outputFile(control)]) rmSync(file, { force: true });
}

/** Kills the process of a control socket; `pid` defaults to that in its file. Other processes with this id are left alone. */
export async function killProcess(pid: number | undefined, control: string): Promise<void> {
  const id = pid ?? Number(readText(pidFile(control)));
  if (!Number.isSafeInteger(id) || id < 1) return;
  const found = await showProcess(id);
  if (found?.command.includes(MAIN) && found.command.at(-1)?.includes(JSON.stringify(control)))
    signalProcess(id, 'SIGKILL');
}
