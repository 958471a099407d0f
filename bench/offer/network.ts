import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { waitFor } from '../../src/time/wait.ts';
import type { RunningNeutrino } from '../neutrino.ts';

/** The attributes of a port that are read here. */
export interface OfferedPort {
  readonly id: string;
  readonly mac_address: string;
  readonly fixed_ips: readonly { readonly ip_address: string }[];
}

const PER_REQUEST = 100;
const SERVED_MS = 120_000;

/** Creates a network with `ports` ports and waits until dnsmasq's files contain all of them. Returns its id. */
export async function makeServedNetwork(
  neutrino: RunningNeutrino,
  statePath: string,
  cidr: string,
  host: string,
  ports: number,
): Promise<string> {
  type Made = { readonly id: string };
  const { network } = await neutrino.api.post<{ network: Made }>('networks', { network: { name: 'bench' } });
  const wanted = { network_id: network.id, ip_version: 4, cidr };
  await neutrino.api.post('subnets', { subnet: wanted });
  const port = { network_id: network.id, 'binding:host_id': host, device_owner: 'compute:nova', device_id: 'bench' };
  for (let left = ports; left > 0; left -= PER_REQUEST)
    await neutrino.api.post('ports', { ports: Array.from({ length: Math.min(left, PER_REQUEST) }, () => port) });
  const known = async () => (await hostLines(statePath, network.id)) >= ports;
  await waitFor(`${ports} ports in the host file of network ${network.id}`, known, SERVED_MS);
  return network.id;
}

async function hostLines(statePath: string, network: string): Promise<number> {
  try {
    return (await readFile(join(statePath, 'dhcp', network, 'host'), 'utf8')).split('\n').length - 1;
  } catch {
    return 0;
  }
}
