import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkNamespaceName, type InNamespace } from './ip.ts';
import { run } from './run.ts';

/** Flows to forget: those of a zone that match all that is given (conntrack(8)). */
export interface Flows {
  readonly zone: number;
  readonly version: 4 | 6;
  /** Address of the side that began. */
  readonly source?: string;
  /** Address of the other side. */
  readonly destination?: string;
  /** Number of the protocol. */
  readonly protocol?: number;
}

const TIMEOUT_MS = 30_000;

const command = ({ zone, version, source, destination, protocol }: Flows): string =>
  [
    `-D -w ${zone} -f ${version === 4 ? 'ipv4' : 'ipv6'}`,
    ...(source === undefined ? [] : [`-s ${source}`]),
    ...(destination === undefined ? [] : [`-d ${destination}`]),
    ...(protocol === undefined ? [] : [`-p ${protocol}`]),
  ].join(' ');

/** Forgets flows, so that their next packets are judged by the rules again. Throws CommandFailed. */
export async function forgetFlows(flows: readonly Flows[], { namespace }: InNamespace): Promise<void> {
  if (flows.length === 0) return;
  const prefix = namespace === undefined ? [] : ['netns', 'exec', checkNamespaceName(namespace), 'conntrack'];
  const [file, ...words]: [string, ...string[]] = namespace === undefined ? ['conntrack'] : ['ip', ...prefix];
  // conntrack opens /dev/stdin by its name, which it cannot if that is a socket.
  const folder = await mkdtemp(join(tmpdir(), 'neutrino-conntrack-'));
  try {
    const path = join(folder, 'flows');
    await writeFile(path, `${flows.map(command).join('\n')}\n`);
    // 1: there are no such flows.
    await run([file, ...words, '-R', path], { timeoutMs: TIMEOUT_MS, okCodes: [0, 1] });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
