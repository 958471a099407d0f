import type { Queries } from '../../db/database.ts';
import type { FixedIp } from '../../resources/port-types.ts';

/** Returns a port's addresses of an IP version, by subnet, then by address. */
export const addressesOfPort = (db: Queries, port: string, version: 4 | 6): Promise<FixedIp[]> =>
  db
    .selectFrom('ipallocations as a')
    .innerJoin('subnets as s', 's.id', 'a.subnet_id')
    .select(['a.subnet_id', 'a.ip_address'])
    .where('a.port_id', '=', port)
    .where('s.ip_version', '=', version)
    .orderBy('a.subnet_id')
    .orderBy('a.address_key')
    .execute();
