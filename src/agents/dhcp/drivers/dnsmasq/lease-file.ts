import { pause } from '../../../../time/pause.ts';
import { type Lease, parseLeases, withoutLeases } from './leases.ts';
import type { Entitlement } from './port-lines.ts';
import { renderLeases } from './render.ts';
import { isIdle, type ServerProcess } from './server-process.ts';
import { readText } from './text-file.ts';

const TRIES = 50;

/**
 * The lease file of a running dnsmasq, or undefined when there is none. dnsmasq empties the file and writes it anew at every
 * change, so what is read counts only when dnsmasq rested before and after and two looks show the same. One that never
 * rests (more questions than it can answer) is taken as it is after a tenth of a second and more.
 */
export async function readLeaseFile(path: string, server: ServerProcess): Promise<string | undefined> {
  for (let n = 1; ; n++) {
    const rested = isIdle(server);
    const once = await readText(path);
    const twice = await readText(path);
    if ((rested && isIdle(server) && once === twice) || n === TRIES) return twice;
    await pause(n < 10 ? 1 : 5);
  }
}

/**
 * What the lease file must hold when dnsmasq starts: the leases there were, without the stale ones. Where there is no file,
 * or one that a killed dnsmasq left empty or torn, ports with a machine that may run get a lease: without it the machine
 * would be refused (NAK) when it renews, and lose its address. A port that is DOWN or in BUILD has no running machine, and
 * every lease makes each reload dearer.
 *
 * @param expires moment of expiry of a made-up lease, seconds of Unix time; 0 means never.
 */
export function leaseFileAtStart(
  found: string | undefined,
  stale: readonly Lease[],
  entitled: readonly Entitlement[],
  expires: number,
): string {
  const kept = found === undefined ? '' : withoutLeases(found.slice(0, found.lastIndexOf('\n') + 1), stale);
  if (found?.endsWith('\n')) return kept;
  const leased = new Set(parseLeases(kept).map(({ address }) => address));
  const mayRun = entitled.filter(
    ({ status, address }) => status !== 'DOWN' && status !== 'BUILD' && !leased.has(address),
  );
  return renderLeases(mayRun, expires) + kept;
}
