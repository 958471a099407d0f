import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';
import { namespacePath } from '../../../../linux/namespaces.ts';
import { CommandFailed, run } from '../../../../linux/run.ts';
import { WaitTimeout, waitFor } from '../../../../time/wait.ts';
import { readLeaseFile } from './lease-file.ts';
import { type Lease, parseLeases } from './leases.ts';
import type { ServerProcess } from './server-process.ts';

const TRIES = 3;
const RELEASE_TIMEOUT_MS = 300;

/** Returns whether dhcp_release (Debian: dnsmasq-utils) is installed. */
export async function hasReleaseProgram(path: string | undefined = process.env.PATH): Promise<boolean> {
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

/**
 * Releases an IPv4 lease in dnsmasq. Resolves to whether the lease has disappeared from the lease file, which dnsmasq writes
 * before it does anything else. A packet can be lost, so it is sent repeatedly.
 */
export async function releaseLease(
  lease: Lease,
  server: ServerProcess,
  where: { readonly namespace: string; readonly device: string; readonly leaseFile: string },
): Promise<boolean> {
  const isGone = async () => {
    const now = parseLeases((await readLeaseFile(where.leaseFile, server)) ?? '');
    return !now.some(({ address, hardware }) => address === lease.address && hardware === lease.hardware);
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
