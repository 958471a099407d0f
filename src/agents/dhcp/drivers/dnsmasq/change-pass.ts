import type { Logger } from 'pino';
import { isRunning } from '../../../../linux/processes.ts';
import { rewriteEnd } from '../../text-file.ts';
import type { Files } from './command-line.ts';
import { findLeases } from './lease-file.ts';
import { type Lease, staleLeases } from './leases.ts';
import { stampsOf } from './loaded.ts';
import type { FileTexts } from './port-blocks.ts';
import { releaseLeases, whyNotReleasable } from './release.ts';
import { Reloader } from './reload.ts';
import type { ReloadThrottle } from './reload-throttle.ts';
import type { MovedAddresses, RenderedNetwork } from './render.ts';
import type { ServerProcess } from './server-process.ts';

/** What a successful pass has left: as long as it is still there, a change of ports needs no look at anything else. */
export interface Left {
  readonly process: ServerProcess;
  readonly namespace: string;
  readonly device: string;
  /** Texts of the files, and versions of the files with these texts. */
  readonly texts: FileTexts;
  readonly stamps: string;
  /** Command line, without what the driver adds to it. */
  readonly commandLine: readonly string[];
}

/** Returns the versions of all files whose text the driver decides. */
export const leftStamps = ({ host, addnHosts, opts, interface: device, loaded }: Files): string =>
  stampsOf([host, addnHosts, opts, device, loaded]);

interface Change {
  readonly files: Files;
  readonly rendered: RenderedNetwork;
  readonly moved: MovedAddresses;
  /** Whether a reload of the running dnsmasq can end it. */
  readonly mayCrash: boolean;
  readonly throttle: ReloadThrottle;
  readonly closing: AbortSignal;
  readonly log: Logger;
}

/**
 * Brings changed ports of a network into its files and its dnsmasq, if nothing else has changed since the last pass. Its cost grows
 * little with the network: no file is read, leases are only looked for at addresses that lost their holder. Resolves to whether it
 * could; otherwise, a whole pass (`Reconciliation`) must follow.
 */
export async function passChange(left: Left, change: Change): Promise<boolean> {
  const { files, rendered, moved, mayCrash, throttle, closing, log } = change;
  const { process: running, namespace, device } = left;
  if (mayCrash || !isRunning(running) || leftStamps(files) !== left.stamps || stampsOf([files.leases]) === '[""]')
    return false;
  const { commandLine } = rendered;
  if (commandLine.join('\0') !== left.commandLine.join('\0')) return false;

  // A lease of any other address was right after the last pass, and its holder is still the same.
  const stale = async (): Promise<readonly Lease[]> => {
    if (moved.left.length === 0) return [];
    const leases = (await findLeases(files.leases, running, moved.left)) ?? [];
    return staleLeases(leases, rendered.holderOf, moved.movedIpv6);
  };
  if ((await whyNotReleasable(await stale())) !== undefined) return false;

  const { texts } = rendered;
  const changed = (['opts', 'addnHosts', 'host'] as const).filter((name) => !isSame(texts[name], left.texts[name]));
  // After a kill in between, the next agent compares the texts, and `loaded` says that they have not been read.
  for (const name of changed) rewriteFile(files[name], texts[name], left.texts[name]);
  if (changed.length > 0) {
    await new Reloader({ files, command: commandLine, hosts: rendered.hosts, throttle, closing, log }).reload(running);
  }
  const released = await stale();
  if ((await whyNotReleasable(released)) !== undefined) return false;
  return releaseLeases(released, running, { namespace, device, leaseFile: files.leases }, log);
}

const isSame = (one: readonly string[], two: readonly string[]): boolean =>
  one.length === two.length && one.every((text, index) => text === two[index]);

/** Writes a file from the first piece on that differs from what it contains. */
function rewriteFile(path: string, wanted: readonly string[], present: readonly string[]): void {
  const differs = wanted.findIndex((text, index) => text !== present[index]);
  const same = differs === -1 ? wanted.length : differs;
  const from = wanted.slice(0, same).reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  rewriteEnd(path, from, wanted.slice(same).join(''));
}
