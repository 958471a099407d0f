import type { Guest, GuestSpec } from './contract.ts';
import { ensureProgram, type Say } from './debian.ts';
import type { Instance } from './instance.ts';
import { namespaceGuest } from './namespace-guest.ts';
import { bootParts } from './qemu/kernel.ts';
import { virtualMachine } from './qemu/virtual-machine.ts';

/** Folder for downloads, which can be repeated; `kernel/` contains the kernel. */
export const CACHE_FOLDER = '/var/cache/neutrino';

/** Returns a guest of the machine's kind. */
export function guestOf(kind: Instance['kind'], spec: GuestSpec, cacheFolder = CACHE_FOLDER): Guest {
  return kind === 'qemu' ? virtualMachine(spec, cacheFolder) : namespaceGuest(spec);
}

/** Downloads and installs what machines of this kind need on this host, and reports that. Throws LabFailure if it cannot. */
export async function prepareGuest(kind: Instance['kind'], say: Say, cacheFolder = CACHE_FOLDER): Promise<void> {
  await ensureProgram('busybox', 'busybox-static', say);
  if (kind === 'namespace') return;
  await ensureProgram('qemu-system-x86_64', 'qemu-system-x86', say);
  await bootParts(cacheFolder, say);
}
