import type { PortDocument } from '../../../src/rpc/documents.ts';
import { waitFor } from '../../../src/time/wait.ts';
import type { Cluster } from './cluster.ts';

/** Returns `fa:16:3e:... 10.0.0.5` for each port with an address, sorted; without the agents' own, which do not use DHCP. */
const claimed = (ports: readonly PortDocument[]): readonly string[] =>
  ports
    .filter((port) => port.device_owner !== 'network:dhcp')
    .flatMap((port) => port.fixed_ips.map(({ ip_address }) => `${port.mac_address} ${ip_address}`))
    .toSorted();

/** Returns the same from a `host` file: `MAC,name,address`. */
const served = (hostFile: string): readonly string[] =>
  hostFile
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const fields = line.split(',');
      return `${fields[0]} ${fields.at(-1)}`;
    })
    .toSorted();

/** Returns the discrepancies between servers, database and DHCP agents for one network. */
export async function disagreements(cluster: Cluster, networkId: string): Promise<readonly string[]> {
  const found: string[] = [];
  const lists = await Promise.all(cluster.servers.map(({ api }) => api.ports(`network_id=${networkId}`)));
  const [ports = []] = lists.map(claimed);
  for (const [i, list] of lists.entries())
    if (claimed(list).join() !== ports.join()) found.push(`server ${i} shows other ports than server 0`);
  const addresses = ports.map((one) => one.split(' ')[1]);
  if (new Set(addresses).size !== addresses.length) found.push('an address belongs to two ports');
  const hosts = (await cluster.servers[0]?.api.dhcpHosts(networkId)) ?? [];
  if (hosts.length === 0) found.push('no DHCP agent has it');
  for (const name of hosts) {
    const host = cluster.hosts.find((one) => one.name === name);
    const lines = served((await host?.file(networkId, 'host')) ?? '');
    const missing = ports.filter((one) => !lines.includes(one));
    const extra = lines.filter((one) => !ports.includes(one));
    if (missing.length > 0) found.push(`${name} lacks ${missing.length}: ${missing.slice(0, 3).join(', ')}`);
    if (extra.length > 0) found.push(`${name} has ${extra.length} too many: ${extra.slice(0, 3).join(', ')}`);
  }
  const [row] = await cluster.query('select count(*) as n from outbox');
  if (Number(row?.n) > 0) found.push(`${row?.n} rows are left in the outbox`);
  return found;
}

/** Waits until servers, database and agents agree on a network; throws the remaining discrepancies. */
export async function awaitAgreement(cluster: Cluster, networkId: string, timeoutMs = 60_000): Promise<void> {
  let last: readonly string[] = [];
  await waitFor(
    `agreement on network ${networkId}`,
    async () => {
      // The client may have kept a connection to a killed server open.
      last = await disagreements(cluster, networkId).catch((error: unknown) => [String(error)]);
      return last.length === 0 || undefined;
    },
    { timeoutMs, intervalMs: 250 },
  ).catch((error: unknown) => {
    throw new Error(`${error instanceof Error ? error.message : error}: ${last.join('; ')}`);
  });
}
