import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { namespacePath } from '../../../../linux/namespaces.ts';
import { isRunning } from '../../../../linux/processes.ts';
import { CommandFailed, run } from '../../../../linux/run.ts';
import { WaitTimeout, waitFor } from '../../../../time/wait.ts';
import { findLeases } from './lease-file.ts';
import type { Lease } from './leases.ts';
import type { ServerProcess } from './server-process.ts';

/** More stale leases than this are cheaper to remove from the file with a restart than to release one by one. */
const MAX_RELEASES = 16;
const TRIES = 3;
const RELEASE_TIMEOUT_MS = 300;

/** Returns whether dhcp_release (Debian: dnsmasq-utils) is installed. */
async function hasReleaseProgram(path: string | undefined = process.env.PATH): Promise<boolean> {
  for (const folder of (path ?? '').split(':')) {
    if (folder === '') continue;
    try {
      await access(join(folder, 'dhcp_release'), constants.X_OK);
      return true;
    } catch {}
  }
  return false;
}

/** Sends dnsmasq the DHCPRELEASE that the lease's holder would send. */
async function sendRelease(lease: Lease, namespace: string, device: string): Promise<void> {
  const enter = ['nsenter', `--net=${namespacePath(namespace)}`, '--'] as const;
  const client = lease.clientId === undefined ? [] : [lease.clientId];
  await run([...enter, 'dhcp_release', device, lease.address, lease.hardware, ...client], { timeoutMs: 5_000 });
}

/** Returns why these leases can only be removed by a restart; undefined if `releaseLeases` can. */
export async function whyNotReleasable(stale: readonly Lease[]): Promise<string | undefined> {
  if (stale.length > MAX_RELEASES) return `${stale.length} leases must be released`;
  if (stale.some(({ version }) => version === 6)) return 'a DHCPv6 lease must be released';
  if (stale.length > 0 && !(await hasReleaseProgram()))
    return 'a lease must be released and dhcp_release is not installed';
  return undefined;
}

/** Where dnsmasq is reached, and where it keeps its leases. */
interface Place {
  readonly namespace: string;
  readonly device: string;
  readonly leaseFile: string;
}

/** Releases IPv4 leases one by one. Resolves to whether all were released. Throws if dnsmasq ends meanwhile. */
export async function releaseLeases(
  stale: readonly Lease[],
  running: ServerProcess,
  where: Place,
  log: Logger,
): Promise<boolean> {
  for (const lease of stale) {
    const released = await releaseLease(lease, running, where);
    if (!isRunning(running)) throw new Error(`dnsmasq (process ${running.pid}) ended while leases were released`);
    if (!released) return false;
    log.info({ address: lease.address, mac: lease.hardware }, 'lease released');
  }
  return true;
}

/**
 * Releases an IPv4 lease in dnsmasq. Resolves to whether the lease has disappeared from the lease file, which dnsmasq writes
 * before it does anything else. A packet can be lost, so it is sent repeatedly.
 */
async function releaseLease(lease: Lease, server: ServerProcess, where: Place): Promise<boolean> {
  const isGone = async () => {
    const now = await findLeases(where.leaseFile, server, [lease.address]);
    return !now?.some(({ hardware }) => hardware === lease.hardware);
  };
  for (let n = 0; n < TRIES; n++) {
    try {
      await sendRelease(lease, where.namespace, where.device);
      return await waitFor(`release of ${lease.address}`, isGone, RELEASE_TIMEOUT_MS);
    } catch (error) {
      // The device may have lost its address meanwhile: the caller has a fallback.
      if (error instanceof CommandFailed) return false;
      if (!(error instanceof WaitTimeout)) throw error;
    }
  }
  return false;
}
