import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Guest, GuestSpec } from '../../../src/lab/contract.ts';
import { guestNamespace, namespaceGuest } from '../../../src/lab/namespace-guest.ts';
import { tapName } from '../../../src/net/device-names.ts';

/** A guest with the namespace of its NICs: `ip netns exec ${namespace} ...`. */
export interface PortGuest extends Guest {
  readonly id: string;
  readonly namespace: string;
  readonly folder: string;
}

/**
 * Starts a machine for ports created by a test: NIC eth0 for the first one, eth1 for the second, each with its port's MAC
 * and the device `tap<port[0:11]>` on the host, which the L2 agent plugs. The clients send requests at once, before the ports are
 * ACTIVE, and repeat them: `lease('eth0', ms)` waits. `stop()` removes everything.
 *
 * To plug a device by hand, without an L2 agent: `setMaster(device, bridge)`.
 */
export async function startPortGuest(
  ports: readonly { readonly id: string; readonly mac_address: string }[],
  more: Pick<GuestSpec, 'requestOptions' | 'clientArguments'> = {},
): Promise<PortGuest> {
  const id = randomUUID();
  const folder = await mkdtemp(join(tmpdir(), 'neutrino-guest-'));
  const nics = ports.map((port, i) => ({
    name: `eth${i}`,
    mac: port.mac_address,
    device: tapName(port.id),
  }));
  const guest = namespaceGuest({ id, name: `guest-${id.slice(0, 8)}`, folder, nics, ...more });
  const stop = async () => {
    await guest.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await guest.plug();
    await guest.start();
  } catch (error) {
    await stop();
    throw error;
  }
  return { ...guest, id, namespace: guestNamespace(id), folder, stop };
}
