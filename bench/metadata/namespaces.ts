import { randomUUID } from 'node:crypto';
import { ipBatch } from '../../src/linux/ip.ts';
import { deleteNamespace } from '../../src/linux/namespaces.ts';

/** A network's namespace with a device that has the IPv4 metadata address. */
export interface Place {
  readonly networkId: string;
  readonly namespace: string;
  readonly devices: readonly string[];
}

/** Creates namespaces in which proxies can listen. */
export async function makePlaces(count: number): Promise<readonly Place[]> {
  const places = Array.from({ length: count }, () => {
    const networkId = randomUUID();
    return { networkId, namespace: `qdhcp-${networkId}`, devices: ['dev0'] };
  });
  await ipBatch(places.map(({ namespace }) => ['netns', 'add', namespace]));
  for (const { namespace } of places) {
    await ipBatch(
      [
        ['link', 'set', 'dev', 'lo', 'up'],
        ['link', 'add', 'name', 'dev0', 'type', 'veth', 'peer', 'name', 'dev1'],
        ['link', 'set', 'dev', 'dev0', 'up'],
        ['link', 'set', 'dev', 'dev1', 'up'],
        ['addr', 'add', '169.254.169.254/32', 'dev', 'dev0'],
      ],
      { namespace },
    );
  }
  return places;
}

export async function removePlaces(places: readonly Place[]): Promise<void> {
  for (const { namespace } of places) await deleteNamespace(namespace);
}
