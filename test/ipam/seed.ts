import { randomUUID } from 'node:crypto';
import type { Trx } from '../../src/db/database.ts';
import type { AllocatableSubnet } from '../../src/ipam/allocate.ts';
import { parseIp } from '../../src/net/addresses.ts';
import { randomMac } from '../../src/net/mac.ts';
import { insertStandardAttributes } from '../../src/store/standard-attributes.ts';

const attributes = (trx: Trx, type: string) =>
  insertStandardAttributes(trx, { resource_type: type, description: '', revision_number: 0 });

/** Pools given as first and last address. */
export function allocatableSubnet(
  id: string,
  networkId: string,
  ...pools: readonly (readonly [string, string])[]
): AllocatableSubnet {
  const numbers = pools.map(([first, last]) => ({
    first: parseIp(first)?.value ?? 0n,
    last: parseIp(last)?.value ?? 0n,
  }));
  return { id, networkId, ipVersion: pools[0]?.[0].includes(':') ? 6 : 4, pools: numbers };
}

/** A network with a subnet of these pools, by rows alone. */
export async function seedSubnet(
  trx: Trx,
  ...pools: readonly (readonly [string, string])[]
): Promise<AllocatableSubnet> {
  const networkId = randomUUID();
  const id = randomUUID();
  const common = { project_id: 'p', name: '' };
  await trx
    .insertInto('networks')
    .values({
      id: networkId,
      ...common,
      status: 'ACTIVE',
      admin_state_up: 1,
      mtu: 1450,
      availability_zone_hints: '[]',
      standard_attr_id: await attributes(trx, 'networks'),
    })
    .execute();
  await trx
    .insertInto('subnets')
    .values({
      id,
      ...common,
      network_id: networkId,
      ip_version: 4,
      cidr: '10.0.0.0/8',
      gateway_ip: null,
      enable_dhcp: 1,
      ipv6_ra_mode: null,
      ipv6_address_mode: null,
      subnetpool_id: null,
      segment_id: null,
      standard_attr_id: await attributes(trx, 'subnets'),
    })
    .execute();
  return allocatableSubnet(id, networkId, ...pools);
}

/** A port's row, without anything else. */
export async function seedPort(trx: Trx, networkId: string): Promise<string> {
  const id = randomUUID();
  await trx
    .insertInto('ports')
    .values({
      id,
      project_id: 'p',
      name: '',
      network_id: networkId,
      mac_address: randomMac('02:00:00:00:00:00'),
      admin_state_up: 1,
      status: 'DOWN',
      device_id: '',
      device_owner: '',
      ip_allocation: 'immediate',
      standard_attr_id: await attributes(trx, 'ports'),
    })
    .execute();
  return id;
}
