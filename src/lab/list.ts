import { showProcess } from '../linux/processes.ts';
import { guestOf } from './guests.ts';
import type { InstanceNic, InstanceStore, StoredInstance } from './instance.ts';

interface ListedNic {
  readonly nic: InstanceNic;
  /** Its current address by DHCP. */
  readonly got: string | null;
}

export interface ListedMachine {
  readonly id: string;
  readonly folder: string;
  /** Null if the boot was killed before it recorded anything. */
  readonly name: string | null;
  readonly kind: 'namespace' | 'qemu' | null;
  /** `broken`: its boot was killed, so that it can only be deleted. `unknown`: only root can determine it. */
  readonly status: 'running' | 'stopped' | 'booting' | 'broken' | 'unknown';
  readonly nics: readonly ListedNic[];
}

async function look({ id, folder, instance }: StoredInstance): Promise<ListedMachine> {
  if (!instance) return { id, folder, name: null, kind: null, status: 'broken', nics: [] };
  const { name, kind, stage, maker } = instance;
  const guest = guestOf(kind, { id, name, folder, nics: instance.nics });
  const running = await guest.running();
  const making = stage === 'making' && (await showProcess(maker.pid))?.startTime === maker.startTime;
  const ran = running === undefined ? 'unknown' : running ? 'running' : 'stopped';
  const status = making ? 'booting' : stage === 'making' ? 'broken' : ran;
  const nics = await Promise.all(
    instance.nics.map(async (nic) => ({
      nic,
      got: running ? ((await guest.current(nic.name))?.address ?? null) : null,
    })),
  );
  return { id, folder, name, kind, status, nics };
}

/** Returns all machines of the store, oldest first, with their actual status. */
export async function listMachines(store: InstanceStore): Promise<readonly ListedMachine[]> {
  return Promise.all((await store.list()).map(look));
}
