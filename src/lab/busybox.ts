import { findProgram } from './debian.ts';
import { LabFailure } from './failure.ts';

/** Path of this host's busybox. Throws when there is none, naming the package that brings it. */
export async function findBusybox(): Promise<string> {
  const found = await findProgram('busybox');
  if (found !== undefined) return found;
  throw new LabFailure(
    "busybox is not installed: the guests' DHCP client is its udhcpc (Debian package busybox-static)",
  );
}
