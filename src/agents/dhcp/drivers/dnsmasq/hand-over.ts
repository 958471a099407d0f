import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { namespacePath } from '../../../../linux/namespaces.ts';
import type { ProcessInfo } from '../../../../linux/processes.ts';
import { run } from '../../../../linux/run.ts';
import type { Lease } from './leases.ts';

/** Longer than the script takes at worst: 4 s until SIGKILL, 6 s more until it gives up, and dnsmasq's own start. */
export const HAND_OVER_TIMEOUT_MS = 25_000;

const SCRIPT = join(import.meta.dirname, 'dnsmasq-hand-over.sh');

/** What the next dnsmasq is, and what changes before it starts. */
export interface HandOver {
  readonly folder: string;
  readonly namespace: string;
  /** All arguments of the next dnsmasq, the program first. */
  readonly command: readonly string[];
  /** Files of the folder that change, by name. */
  readonly texts: ReadonlyMap<string, string>;
  /** Leases that the next one must not know. */
  readonly stale: readonly Lease[];
  /** The lease file for the case that the one left behind is empty or torn. */
  readonly seeds: string;
}

/**
 * Has the next dnsmasq follow the running one, by a script that goes on when this process is killed (dnsmasq-hand-over.sh).
 * Resolves when the next one is in the background. Throws CommandFailed with what it said when it cannot start.
 */
export async function handOver(running: ProcessInfo, wanted: HandOver): Promise<void> {
  const { folder, namespace, command, texts, stale, seeds } = wanted;
  const next = join(folder, 'next');
  // What an agent left there that was killed before it came to the script.
  await rm(next, { recursive: true, force: true });
  await mkdir(join(next, 'text'), { recursive: true });
  // By holder and address: the time of a lease may change until the end.
  const patterns = stale.map(({ line }) => ` ${line.split(' ').slice(1, 3).join(' ')} \n`);
  await writeFile(join(next, 'stale'), patterns.join(''));
  await writeReadable(join(next, 'seeds'), seeds);
  for (const [name, text] of texts) await writeReadable(join(next, 'text', name), text);
  await run(
    [
      ...['/bin/sh', SCRIPT, String(running.pid), String(running.startTime), folder],
      ...[namespacePath(namespace), ...command],
    ] as [string, ...string[]],
    // Not of our session: a signal to all our processes (a terminal's Ctrl-C) must not end it in the middle.
    { timeoutMs: HAND_OVER_TIMEOUT_MS, ownSession: true },
  );
  await rm(next, { recursive: true, force: true });
}

/** Readable by everybody, whatever our umask says, for dnsmasq drops its privileges before it reads. */
async function writeReadable(path: string, text: string): Promise<void> {
  await writeFile(path, text);
  await chmod(path, 0o644);
}

/** Whether a process is such a script that still ends the dnsmasq before it. */
export const isHandOver = ({ command: [, script] }: ProcessInfo): boolean =>
  script !== undefined && basename(script) === basename(SCRIPT);
