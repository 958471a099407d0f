import { existsSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { type ConfigInputs, loadConfig } from '../../config/load.ts';
import type { Config } from '../../config/options.ts';
import { ADMIN_OPENRC_FILE, CLOUDS_FILE, IDENTITY_FILE, OPENRC_FILE } from '../../identity/client-files.ts';
import { signalProcess, waitForEnd } from '../../linux/processes.ts';
import { unmetRequirements } from '../agents/requirements.ts';
import type { AgentKind } from '../compose/agent.ts';
import { CliFailure } from '../process/failure.ts';
import { stderrLogger } from '../process/log.ts';
import { HOST_FILE } from '../state/host.ts';
import { lockFile, lockRoles, runningNeutrino, SERVER_ROLE } from '../state/lock.ts';
import type { Removed } from './host-removal.ts';

export interface DownOptions {
  readonly inputs: ConfigInputs;
  /** The kinds of agents that may run on this host. */
  readonly kinds: readonly AgentKind[];
  /** Also deletes the database and files in the state path. */
  readonly purge: boolean;
  /** Deletes them without confirmation. */
  readonly yes: boolean;
}

type Print = (line: string) => void;

/** Time limit for a running Neutrino to stop, in milliseconds; its own limit is 10 s. */
const STOP_MS = 30_000;

/** What Neutrino stores in the state path, except for its locks; `down --purge` deletes these and nothing else. */
const STATE_FILES = [
  'neutrino.sqlite',
  'neutrino.sqlite-wal',
  'neutrino.sqlite-shm',
  'dhcp',
  'instances',
  'metadata_proxy',
  'ns-metadata-proxy',
  'external',
  HOST_FILE,
  IDENTITY_FILE,
  CLOUDS_FILE,
  OPENRC_FILE,
  ADMIN_OPENRC_FILE,
];

/**
 * `neutrino down`: stops the Neutrino of this state path and removes what it created on this host. Prints what it removed.
 * Throws CliFailure if the running Neutrino cannot be stopped.
 */
export async function runDown({ inputs, kinds, purge, yes }: DownOptions, print: Print): Promise<void> {
  const { config } = loadConfig(inputs);
  const { state_path: statePath } = config.DEFAULT;
  if (!existsSync(statePath)) {
    print(`Nothing to do: there is no state path ${statePath}.`);
    return;
  }
  if (purge && !yes) await confirmPurge(statePath);
  const roles = [SERVER_ROLE, ...kinds.map(({ name }) => name)];
  for (const role of roles) await stopRunning(statePath, role, print);
  const lock = await lockRoles(statePath, roles);
  if ('holder' in lock) throw new CliFailure(`another process has locked state path ${statePath} meanwhile; try again`);
  try {
    const obstacles = await unmetRequirements(kinds, config);
    if (obstacles.length === 0) {
      const { removeFromHost } = await import('./host-removal.ts');
      const log = stderrLogger(config.DEFAULT);
      // Removed things are printed once, at the end.
      if (!config.DEFAULT.debug) log.level = 'warn';
      for (const line of removedLines(await removeFromHost(config, log))) print(line);
    } else {
      print(`Namespaces, devices and processes are left unchanged: ${obstacles.join('; ')}.`);
    }
    if (purge) deleteState(config, print);
  } finally {
    lock.release();
  }
  if (purge) removeEmptyFolder(statePath, roles, print);
}

async function stopRunning(statePath: string, role: string, print: Print): Promise<void> {
  const running = await runningNeutrino(statePath, role);
  if (!running) return;
  const { pid, url } = running;
  print(`Stopping ${role === SERVER_ROLE ? 'Neutrino' : role} (process ${pid}${url ? `, API at ${url}` : ''}) ...`);
  try {
    signalProcess(pid, 'SIGTERM');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error;
    throw new CliFailure(`process ${pid} belongs to another user; stop it as that user or as root`);
  }
  if (await waitForEnd(pid, STOP_MS)) return;
  throw new CliFailure(
    `process ${pid} did not stop within ${STOP_MS / 1000} s of SIGTERM; kill -9 ${pid} and try again`,
  );
}

function removedLines({ machines, processes, namespaces, devices, filters, leftAlone }: Removed): readonly string[] {
  const kinds = {
    Machines: machines,
    Processes: processes,
    Namespaces: namespaces,
    Devices: devices,
    Filters: filters,
  };
  const removed = Object.entries(kinds).filter(([, names]) => names.length > 0);
  const left = `Left unchanged, because their networks do not belong to this state path: ${leftAlone.join(' ')}`;
  return [
    ...(removed.length === 0 ? ['Nothing to remove on this host.'] : ['Removed from this host:']),
    ...removed.map(([kind, names]) => `  ${kind.padEnd(10)}  ${names.join(' ')}`),
    ...(leftAlone.length > 0 ? [left] : []),
  ];
}

async function confirmPurge(statePath: string): Promise<void> {
  if (!process.stdin.isTTY) throw new CliFailure('--purge deletes all networks and ports; confirm with --yes');
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question(
    `Delete all networks and ports, that is, the database in ${statePath}? (yes/no) `,
  );
  terminal.close();
  if (answer.trim().toLowerCase() !== 'yes') throw new CliFailure('nothing was changed');
}

function deleteState({ DEFAULT: { state_path: statePath } }: Config, print: Print): void {
  const there = STATE_FILES.filter((name) => existsSync(join(statePath, name)));
  for (const name of there) rmSync(join(statePath, name), { recursive: true, force: true });
  print(there.length === 0 ? `Nothing to delete in ${statePath}.` : `Deleted from ${statePath}: ${there.join(' ')}`);
}

function removeEmptyFolder(statePath: string, roles: readonly string[], print: Print): void {
  for (const role of roles) rmSync(join(statePath, lockFile(role)), { force: true });
  const left = readdirSync(statePath);
  if (left.length > 0) print(`Left in ${statePath}, because Neutrino did not create them: ${left.join(' ')}`);
  else rmdirSync(statePath);
}
