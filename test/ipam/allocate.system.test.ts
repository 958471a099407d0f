import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { CompiledQuery } from 'kysely';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Trx } from '../../src/db/database.ts';
import { AddressAllocator, type AllocatableSubnet, takeAddress } from '../../src/ipam/allocate.ts';
import { addressKey, formatIp, parseIp } from '../../src/net/addresses.ts';
import { openCore, type TestCore } from '../support/core.ts';
import { allocatableSubnet, seedPort, seedSubnet } from './seed.ts';

let core: TestCore;
beforeEach(async () => {
  core = await openCore();
});
afterEach(() => core.dispose());

const inTransaction = <T>(work: (trx: Trx) => Promise<T>) => core.db.transaction(work);

async function take(allocator: AddressAllocator, subnet: AllocatableSubnet): Promise<string | undefined> {
  return inTransaction(async (trx) => allocator.take(trx, subnet, await seedPort(trx, subnet.networkId)));
}

describe('allocating addresses', () => {
  test('every address of a pool is allocated once, and then the pool is reported as exhausted', async () => {
    const subnet = await inTransaction((trx) => seedSubnet(trx, ['10.0.0.2', '10.0.0.254']));
    const allocator = new AddressAllocator();
    const got = new Set<string>();
    for (let i = 0; i < 253; i++) got.add((await take(allocator, subnet)) ?? 'none');
    expect(got.size).toBe(253);
    expect(got.has('none')).toBe(false);
    expect(await take(allocator, subnet)).toBeUndefined();
  });

  test('addresses are random: two equal pools are filled in different orders', async () => {
    const orders = [];
    for (const _ of [1, 2]) {
      const subnet = await inTransaction((trx) => seedSubnet(trx, ['10.0.0.2', '10.0.0.254']));
      const allocator = new AddressAllocator();
      const order = [];
      for (let i = 0; i < 20; i++) order.push(await take(allocator, subnet));
      orders.push(order.join());
    }
    expect(orders[0]).not.toBe(orders[1]);
  });

  test('several pools, and IPv6 beyond 64 bits', async () => {
    const v4 = await inTransaction((trx) => seedSubnet(trx, ['10.0.0.10', '10.0.0.12'], ['10.0.0.20', '10.0.0.21']));
    const allocator = new AddressAllocator();
    const got = [];
    for (let i = 0; i < 5; i++) got.push(await take(allocator, v4));
    expect(got.sort()).toEqual(['10.0.0.10', '10.0.0.11', '10.0.0.12', '10.0.0.20', '10.0.0.21']);
    const v6 = await inTransaction((trx) => seedSubnet(trx, ['fd00::1', 'fd00::ffff:ffff:ffff:ffff']));
    const ip = parseIp((await take(allocator, v6)) ?? '');
    expect(ip?.version).toBe(6);
  });

  test('a released address is allocated again', async () => {
    const subnet = await inTransaction((trx) => seedSubnet(trx, ['10.0.0.2', '10.0.0.6']));
    const allocator = new AddressAllocator();
    for (let i = 0; i < 5; i++) await take(allocator, subnet);
    expect(await take(allocator, subnet)).toBeUndefined();
    await core.db.kysely.deleteFrom('ipallocations').where('ip_address', '=', '10.0.0.4').execute();
    expect(await take(allocator, subnet)).toBe('10.0.0.4');
  });

  test('an address that is in use is rejected', async () => {
    const subnet = await inTransaction((trx) => seedSubnet(trx, ['10.0.0.2', '10.0.0.254']));
    const wanted = parseIp('10.0.0.9')?.value ?? 0n;
    const attempt = () =>
      inTransaction(async (trx) => takeAddress(trx, subnet, await seedPort(trx, subnet.networkId), wanted));
    expect(await attempt()).toBe(true);
    expect(await attempt()).toBe(false);
  });

  test('an allocation costs one insert while the pool has room, however many addresses are in use', async () => {
    const subnet = await inTransaction((trx) => seedSubnet(trx, ['10.0.0.1', '10.255.255.254']));
    await inTransaction(async (trx) => {
      const port = await seedPort(trx, subnet.networkId);
      const base = parseIp('10.1.0.0')?.value ?? 0n;
      for (let n = 0; n < 20_000; n += 1000) {
        const rows = Array.from({ length: 1000 }, (_, i) => {
          const value = base + BigInt(n + i);
          return {
            port_id: port,
            subnet_id: subnet.id,
            network_id: subnet.networkId,
            ip_address: formatIp(4, value),
            address_key: addressKey(4, value),
          };
        });
        await trx.insertInto('ipallocations').values(rows).execute();
      }
    });
    const statements: string[] = [];
    await inTransaction(async (trx) => {
      const port = await seedPort(trx, subnet.networkId);
      // The queries are compiled once, on a real connection; then only what is executed is looked at.
      await new AddressAllocator().take(trx, subnet, port);
      const spied = {
        getExecutor: () => trx.getExecutor(),
        executeQuery: (query: CompiledQuery) => {
          statements.push(query.sql);
          return trx.executeQuery(query);
        },
      } as unknown as Trx;
      await new AddressAllocator().take(spied, subnet, port);
    });
    // 20,000 of 16 million are taken: a second draw is rare, a look-up of gaps would be a fault.
    expect(statements.length).toBeLessThanOrEqual(3);
    expect(statements.every((s) => s.startsWith('insert'))).toBe(true);
  });

  test('two processes fill one subnet: every address is allocated once', async () => {
    const subnet = await inTransaction((trx) => seedSubnet(trx, ['10.0.0.2', '10.0.0.254']));
    const worker = new URL('./fill-subnet.worker.ts', import.meta.url).pathname;
    const filled = await Promise.all(
      [1, 2].map(async () => {
        const child = fork(worker, [core.connection, subnet.id, subnet.networkId, randomUUID()], {
          stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
        });
        const [[addresses]] = (await Promise.all([once(child, 'message'), once(child, 'exit')])) as [
          [string[]],
          unknown,
        ];
        return addresses;
      }),
    );
    const all = filled.flat();
    expect(all.length).toBe(253);
    expect(new Set(all).size).toBe(253);
    expect(allocatableSubnet(subnet.id, subnet.networkId, ['10.0.0.2', '10.0.0.254']).pools).toEqual(subnet.pools);
  });
});
