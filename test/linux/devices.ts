import { listAddresses, planAddresses } from '../../src/linux/addresses.ts';
import { type InNamespace, ipBatch, ipQuery } from '../../src/linux/ip.ts';
import { addVethCommand, showLink, type VethEnd } from '../../src/linux/links.ts';
import { parseRoutes, ROUTES_QUERY, type Route } from '../../src/linux/routes.ts';
import { run } from '../../src/linux/run.ts';

export async function linkExists(name: string, where: InNamespace = {}): Promise<boolean> {
  return (await showLink(name, where)) !== undefined;
}

/** Creates a bridge that forwards at once, and sets it up. */
export function addBridge(name: string, where: InNamespace = {}): Promise<void> {
  return ipBatch(
    [
      ['link', 'add', name, 'type', 'bridge', 'forward_delay', '0', 'stp_state', '0'],
      ['link', 'set', 'dev', name, 'up'],
    ],
    where,
  );
}

/** Creates a veth pair; both ends are down. */
export function addVeth(end: VethEnd, peer: VethEnd, mtu?: number): Promise<void> {
  return ipBatch([addVethCommand(end, peer, mtu)], end);
}

/** Plugs a device into a bridge, or unplugs it with `null`. */
export function setMaster(name: string, master: string | null, where: InNamespace = {}): Promise<void> {
  return ipBatch([['link', 'set', 'dev', name, ...(master === null ? ['nomaster'] : ['master', master])]], where);
}

/** Sets the addresses of a device to exactly these. */
export async function setAddresses(device: string, wanted: readonly string[], where: InNamespace = {}): Promise<void> {
  // The second look finds what the kernel deleted along with another address of the subnet.
  for (let look = 1; look <= 2; look += 1) {
    await ipBatch(planAddresses(device, await listAddresses(device, where), wanted), where);
  }
}

/** Unicast routes of the main table, both families. */
export async function listRoutes(where: InNamespace = {}): Promise<readonly Route[]> {
  const [answer] = await ipQuery([ROUTES_QUERY], where);
  return parseRoutes(answer);
}

/** Reads a kernel setting, by its path below /proc/sys. */
export async function readSysctl(key: string, { namespace }: InNamespace = {}): Promise<string> {
  const enter = namespace === undefined ? [] : ['nsenter', `--net=/run/netns/${namespace}`];
  const [program = 'cat', ...args] = [...enter, 'cat', `/proc/sys/${key}`];
  return (await run([program, ...args])).stdout.trim();
}
