import { access, constants } from 'node:fs/promises';

const PLACES = ['/bin/busybox', '/usr/bin/busybox', '/usr/local/bin/busybox', '/sbin/busybox'];

/** Path of this host's busybox. Throws when there is none, naming the package that brings it. */
export async function findBusybox(): Promise<string> {
  for (const place of PLACES) {
    try {
      await access(place, constants.X_OK);
      return place;
    } catch {
      // Not here; the next place.
    }
  }
  throw new Error("busybox is not installed: the guests' DHCP client is its udhcpc (Debian package busybox-static)");
}
