/** A process of its own that allocates from a subnet until it is full, and tells which addresses it got. */
import { openDatabase } from '../../src/db/open.ts';
import { AddressAllocator } from '../../src/ipam/allocate.ts';
import { configWith } from '../support/core.ts';
import { allocatableSubnet, seedPort } from './seed.ts';

const [, , connection = '', subnetId = '', networkId = ''] = process.argv;
const db = openDatabase(configWith({ database: { connection, sqlite_synchronous: false } }));
const subnet = allocatableSubnet(subnetId, networkId, ['10.0.0.2', '10.0.0.254']);
const allocator = new AddressAllocator();
const addresses: string[] = [];
for (let i = 0; i < 300; i++) {
  const ip = await db.transaction(async (trx) => allocator.take(trx, subnet, await seedPort(trx, networkId)));
  if (ip === undefined) break;
  addresses.push(ip);
}
await db.close();
process.send?.(addresses);
process.disconnect?.();
