import type { Guest, GuestSpec } from './contract.ts';
import { ensureProgram, type Say } from './debian.ts';
import type { Instance } from './instance.ts';
import { namespaceGuest } from './namespace-guest.ts';
import { bootParts } from './qemu/kernel.ts';
import { virtualMachine } from './qemu/virtual-machine.ts';

/** Folder for what can be downloaded again; the kernel is in `kernel/` below it. */
export const CACHE_FOLDER = '/var/cache/neutrino';

/** Returns the guest of a machine's kind. */
export function guestOf(kind: Instance['kind'], spec: GuestSpec, cacheFolder = CACHE_FOLDER): Guest {
  return kind === 'qemu' ? virtualMachine(spec, cacheFolder) : namespaceGuest(spec);
}

/** Downloads and installs what machines of this kind need on this host, and prints that. Throws LabFailure when it cannot. */
export async function prepareGuest(kind: Instance['kind'], say: Say, cacheFolder = CACHE_FOLDER): Promise<void> {
  await ensureProgram('busybox', 'busybox-static', say);
  if (kind === 'namespace') return;
  await ensureProgram('qemu-system-x86_64', 'qemu-system-x86', say);
  await bootParts(cacheFolder, say);
}
