import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { namespacePath } from '../../../../linux/namespaces.ts';
import type { ProcessInfo } from '../../../../linux/processes.ts';
import { run } from '../../../../linux/run.ts';
import type { Lease } from './leases.ts';

/** Upper bound for the script: 4 s until SIGKILL, 6 s more until it fails, and the start of dnsmasq. */
export const HAND_OVER_TIMEOUT_MS = 25_000;

const SCRIPT = join(import.meta.dirname, 'dnsmasq-hand-over.sh');

/** The next dnsmasq, and the changes to make before it starts. */
export interface HandOver {
  readonly folder: string;
  readonly namespace: string;
  /** Command line of the next dnsmasq. */
  readonly command: readonly string[];
  /** New texts of changed files in the folder, by name. */
  readonly texts: ReadonlyMap<string, string>;
  /** Leases to drop. */
  readonly stale: readonly Lease[];
  /** The lease file to use if the existing one is empty or truncated. */
  readonly seeds: string;
}

/**
 * Replaces the running dnsmasq with the next one, using a script that continues if this process is killed (dnsmasq-hand-over.sh).
 * Resolves when the next one is in the background. Throws CommandFailed with its output if it cannot start.
 */
export async function handOver(running: ProcessInfo, wanted: HandOver): Promise<void> {
  const { folder, namespace, command, texts, stale, seeds } = wanted;
  const next = join(folder, 'next');
  // Left by an agent that was killed before it started the script.
  await rm(next, { recursive: true, force: true });
  await mkdir(join(next, 'text'), { recursive: true });
  // By holder and address, because the expiry of a lease may still change.
  const patterns = stale.map(({ line }) => ` ${line.split(' ').slice(1, 3).join(' ')} \n`);
  await writeFile(join(next, 'stale'), patterns.join(''));
  await writeReadable(join(next, 'seeds'), seeds);
  for (const [name, text] of texts) await writeReadable(join(next, 'text', name), text);
  await run(
    [
      ...['/bin/sh', SCRIPT, String(running.pid), String(running.startTime), folder],
      ...[namespacePath(namespace), ...command],
    ] as [string, ...string[]],
    // In its own session: a signal to all our processes (Ctrl-C in a terminal) must not interrupt it.
    { timeoutMs: HAND_OVER_TIMEOUT_MS, ownSession: true },
  );
  await rm(next, { recursive: true, force: true });
}

/** World-readable regardless of the umask, because dnsmasq drops its privileges before it reads. */
async function writeReadable(path: string, text: string): Promise<void> {
  await writeFile(path, text);
  await chmod(path, 0o644);
}

/** Returns whether a process is a hand-over script that is still stopping the previous dnsmasq. */
export const isHandOver = ({ command: [, script] }: ProcessInfo): boolean =>
  script !== undefined && basename(script) === basename(SCRIPT);
