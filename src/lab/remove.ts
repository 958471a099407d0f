import { tapName } from '../net/device-names.ts';
import type { Guest, GuestNic } from './contract.ts';
import { guestOf } from './guests.ts';
import type { Instance, InstanceStore, StoredInstance } from './instance.ts';
import type { Neutron, PortDocument } from './neutron.ts';

interface Removal {
  readonly neutron: Neutron;
  readonly store: InstanceStore;
}

/** Returns the NICs in the record and the API, because a killed boot may have created a port without recording it. */
function allNics(instance: Instance | undefined, ports: readonly PortDocument[]): readonly GuestNic[] {
  const recorded = instance?.nics ?? [];
  const known = new Set(recorded.map(({ portId }) => portId));
  const found = ports
    .filter(({ id }) => !known.has(id))
    .map(({ id, mac_address }) => ({ name: id, mac: mac_address, device: tapName(id) }));
  return [...recorded, ...found];
}

/** Returns the guest of a machine; of both kinds if there is no record. */
function guestsOf({ id, folder, instance }: StoredInstance, nics: readonly GuestNic[]): readonly Guest[] {
  const kinds = instance ? [instance.kind] : (['namespace', 'qemu'] as const);
  return kinds.map((kind) => guestOf(kind, { id, name: instance?.name ?? id, folder, nics }));
}

/**
 * Stops a machine and removes its devices, ports and folder, even if some are missing. If the API cannot be reached, stops the
 * machine nevertheless, keeps its folder, and throws the API's failure.
 */
export async function removeMachine(stored: StoredInstance, { neutron, store }: Removal): Promise<void> {
  const { id, instance } = stored;
  const asked = await neutron.portsOfDevice(id).then(
    (ports) => ({ ports }),
    (failure: unknown) => ({ ports: [], failure }),
  );
  for (const guest of guestsOf(stored, allNics(instance, asked.ports))) await guest.stop();
  if ('failure' in asked) throw asked.failure;
  for (const port of asked.ports) await neutron.deletePort(port.id);
  await store.remove(id);
}

/**
 * Stops all machines of a state path and removes their devices, without the API, for `down`. Ports and folders remain, so that
 * `vm delete` can complete it. Returns the names of the stopped machines.
 */
export async function stopMachines(store: InstanceStore): Promise<readonly string[]> {
  const ended: string[] = [];
  for (const stored of await store.list()) {
    for (const guest of guestsOf(stored, stored.instance?.nics ?? [])) {
      if (await guest.running()) ended.push(stored.instance?.name ?? stored.id);
      await guest.stop();
    }
  }
  return ended;
}
