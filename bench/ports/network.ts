import type { RunningNeutrino } from '../neutrino.ts';

/** A network for ports. */
export interface BenchNetwork {
  readonly network: string;
  readonly subnet: string;
  /** The default security group of the project. */
  readonly group: string;
}

/** Precedes the pools that sections fill. */
const FIRST_ADDRESS = '10.0.0.9';

/**
 * Creates a network with one subnet, which begins at 10.0.0.0, and one port, which creates the project's default security
 * group.
 */
export async function makeNetwork({ api }: Pick<RunningNeutrino, 'api'>, cidr = '10.0.0.0/8'): Promise<BenchNetwork> {
  type Made = { readonly id: string };
  const { network } = await api.post<{ network: Made }>('networks', { network: { name: 'bench' } });
  const wanted = { network_id: network.id, ip_version: 4, cidr };
  const { subnet } = await api.post<{ subnet: Made }>('subnets', { subnet: wanted });
  const { port } = await api.post<{ port: { security_groups: readonly string[] } }>('ports', {
    port: { network_id: network.id, fixed_ips: [{ ip_address: FIRST_ADDRESS }] },
  });
  const [group = ''] = port.security_groups;
  return { network: network.id, subnet: subnet.id, group };
}
