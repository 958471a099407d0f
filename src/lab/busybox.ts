import { findProgram } from './debian.ts';
import { LabFailure } from './failure.ts';

/** Returns the path of this host's busybox. Throws an error that names its package if there is none. */
export async function findBusybox(): Promise<string> {
  const found = await findProgram('busybox');
  if (found !== undefined) return found;
  throw new LabFailure(
    "busybox is not installed: the guests' DHCP client is its udhcpc (Debian package busybox-static)",
  );
}
