import { LabFailure } from '../../lab/failure.ts';
import type { Neutron } from '../../lab/neutron.ts';
import { dhcpDeviceId } from '../../net/dhcp-device-id.ts';

type Document = Readonly<Record<string, unknown>>;

/** Maximum number of pages of a list; a page has at least one resource. */
const MAX_PAGES = 100_000;

/** Returns all resources of a list, page by page if the server limits pages. Throws LabFailure. */
async function listAll(neutron: Neutron, plural: string, networkId: string): Promise<readonly Document[]> {
  const found: Document[] = [];
  let path = `/v2.0/${plural}?${new URLSearchParams({ network_id: networkId })}`;
  for (let page = 0; page < MAX_PAGES; page++) {
    const answer = (await neutron.request('GET', path)) as Readonly<Record<string, readonly Document[] | undefined>>;
    found.push(...(answer[plural] ?? []));
    const next = answer[`${plural}_links`]?.find(({ rel }) => rel === 'next')?.href;
    if (typeof next !== 'string') return found;
    const { pathname, search } = new URL(next, neutron.url);
    path = `${pathname}${search}`;
  }
  throw new LabFailure(`${neutron.url}: the list of ${plural} does not end`);
}

/**
 * Requests a network, by id or name, with the attributes that DHCP agents receive, and the id of the agent's own port on it. Throws
 * LabFailure.
 */
export async function networkOfApi(
  neutron: Neutron,
  idOrName: string,
  host: string,
): Promise<{ readonly document: Document; readonly ownPortId: string | undefined }> {
  const network = await neutron.findNetwork(idOrName);
  const [subnets, ports] = await Promise.all([
    listAll(neutron, 'subnets', network.id),
    listAll(neutron, 'ports', network.id),
  ]);
  const own = ports.find((port) => port.device_id === dhcpDeviceId(host, network.id))?.id;
  return { document: { ...network, subnets, ports }, ownPortId: typeof own === 'string' ? own : undefined };
}
