import { pause } from '../../../../time/pause.ts';
import { readBytes } from '../../text-file.ts';
import { type Lease, parseLeases, withoutLeases } from './leases.ts';
import type { Entitlement } from './port-lines.ts';
import { renderLeases } from './render.ts';
import { isIdle, type ServerProcess } from './server-process.ts';

const TRIES = 50;

/** Returns the lease file of a running dnsmasq; undefined if there is none. */
export async function readLeaseFile(path: string, server: ServerProcess): Promise<string | undefined> {
  return (await readAtRest(path, server))?.toString();
}

/** Returns the leases of some addresses in the lease file of a running dnsmasq; undefined if there is none. */
export async function findLeases(
  path: string,
  server: ServerProcess,
  addresses: readonly string[],
): Promise<readonly Lease[] | undefined> {
  const bytes = await readAtRest(path, server);
  if (!bytes) return undefined;
  return addresses.flatMap((address) => {
    for (let at = bytes.indexOf(` ${address} `); at !== -1; at = bytes.indexOf(` ${address} `, at + 1)) {
      const end = bytes.indexOf('\n', at);
      const line = bytes.toString('utf8', bytes.lastIndexOf('\n', at) + 1, end === -1 ? bytes.length : end);
      const [lease] = parseLeases(line);
      if (lease?.address === address) return [lease];
    }
    return [];
  });
}

/**
 * Reads the lease file of a running dnsmasq. dnsmasq truncates and rewrites the file on every change, so a read is valid only if
 * dnsmasq was idle before and after it and two reads agree. If dnsmasq is never idle (overload), the last read is used after a
 * tenth of a second or more.
 */
async function readAtRest(path: string, server: ServerProcess): Promise<Buffer | undefined> {
  for (let n = 1; ; n++) {
    const rested = isIdle(server);
    const once = readBytes(path);
    const twice = readBytes(path);
    const agree = once === twice || (once && twice?.equals(once));
    if ((rested && isIdle(server) && agree) || n === TRIES) return twice;
    await pause(n < 10 ? 1 : 5);
  }
}

/**
 * Returns the lease file for the start of dnsmasq: the existing leases without the stale ones. If there is no file, or a killed
 * dnsmasq left it empty or truncated, ports whose machine may be running get a lease: without it, dnsmasq would reject (NAK) the
 * machine's next renewal, and the machine would lose its address. A port that is DOWN or in BUILD has no running machine, and every
 * lease makes each reload more expensive.
 *
 * @param expires expiry of seeded leases in seconds of Unix time; 0: never.
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
