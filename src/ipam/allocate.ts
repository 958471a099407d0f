import type { InsertResult } from 'kysely';
import type { Trx } from '../db/database.ts';
import { prepared } from '../db/prepared.ts';
import { addressKey, formatIp } from '../net/addresses.ts';
import { addressAt, gaps, type PoolRange, poolSize, randomBelow } from './candidates.ts';

/** The parts of a subnet that allocation needs. */
export interface AllocatableSubnet {
  readonly id: string;
  readonly networkId: string;
  readonly ipVersion: 4 | 6;
  readonly pools: readonly PoolRange[];
}

interface NewAllocation {
  readonly port_id: string;
  readonly subnet_id: string;
  readonly network_id: string;
  readonly ip_address: string;
  readonly address_key: string;
}

// The primary key (subnet, address) decides: if two callers request the same address, one inserts no row.
const insert = prepared<NewAllocation, InsertResult>((db, p) =>
  db
    .insertInto('ipallocations')
    .ignore()
    .values({
      port_id: p('port_id'),
      subnet_id: p('subnet_id'),
      network_id: p('network_id'),
      ip_address: p('ip_address'),
      address_key: p('address_key'),
    }),
);

/** Allocates a specific address for a port; returns false if another port has it. */
export async function takeAddress(
  trx: Trx,
  subnet: AllocatableSubnet,
  portId: string,
  value: bigint,
): Promise<boolean> {
  const { numAffectedRows } = await insert(trx, {
    port_id: portId,
    subnet_id: subnet.id,
    network_id: subnet.networkId,
    ip_address: formatIp(subnet.ipVersion, value),
    address_key: addressKey(subnet.ipVersion, value),
  });
  return (numAffectedRows ?? 0n) > 0n;
}

interface KeyRange {
  readonly subnet: string;
  readonly from: string;
  readonly to: string;
}

const countBetween = prepared<KeyRange, { n: number }>((db, p) =>
  db
    .selectFrom('ipallocations')
    .select((eb) => eb.fn.countAll<number>().as('n'))
    .where('subnet_id', '=', p('subnet'))
    .where('address_key', '>=', p('from'))
    .where('address_key', '<=', p('to')),
);

const CHUNK = 1000;
const keysBetween = prepared<KeyRange, { address_key: string }>((db, p) =>
  db
    .selectFrom('ipallocations')
    .select('address_key')
    .where('subnet_id', '=', p('subnet'))
    .where('address_key', '>=', p('from'))
    .where('address_key', '<=', p('to'))
    .orderBy('address_key')
    .limit(CHUNK),
);

const RANDOM_TRIES = 6;
const MOST_HINTS = 512;
const MOST_SUBNETS_WITH_HINTS = 1000;

/**
 * Allocates addresses from pools. It tries random candidates while a pool has room: one insert per allocation, regardless of the
 * pool's size. If they keep failing, it looks up gaps in order from a random point, and keeps those found as hints for later
 * allocations, so that filling a pool to its last address takes one scan per 512 addresses. Hints are only candidates: the
 * database's key decides, so several processes can allocate in parallel.
 */
export class AddressAllocator {
  /** Addresses that were free at the last scan, by subnet, in random order. */
  readonly #hints = new Map<string, bigint[]>();

  /** Allocates a free address from the subnet's pools for a port; returns undefined if there is none. */
  async take(trx: Trx, subnet: AllocatableSubnet, portId: string): Promise<string | undefined> {
    const size = poolSize(subnet.pools);
    if (size === 0n) return undefined;
    const taken = (await this.#takeHint(trx, subnet, portId)) ?? (await this.#takeRandom(trx, subnet, portId, size));
    if (taken !== undefined) return formatIp(subnet.ipVersion, taken);
    if ((await this.#used(trx, subnet)) >= size) return undefined;
    await this.#lookUpGaps(trx, subnet, size);
    const found = await this.#takeHint(trx, subnet, portId);
    return found === undefined ? undefined : formatIp(subnet.ipVersion, found);
  }

  async #takeHint(trx: Trx, subnet: AllocatableSubnet, portId: string): Promise<bigint | undefined> {
    const hints = this.#hints.get(subnet.id);
    while (hints && hints.length > 0) {
      const candidate = hints.pop();
      // Pools may have changed after the hint was stored.
      const inPool = candidate !== undefined && subnet.pools.some((p) => candidate >= p.first && candidate <= p.last);
      if (inPool && (await takeAddress(trx, subnet, portId, candidate))) return candidate;
    }
    if (hints) this.#hints.delete(subnet.id);
    return undefined;
  }

  async #takeRandom(trx: Trx, subnet: AllocatableSubnet, portId: string, size: bigint): Promise<bigint | undefined> {
    for (let tries = 0; tries < RANDOM_TRIES; tries++) {
      const candidate = addressAt(subnet.pools, randomBelow(size));
      if (await takeAddress(trx, subnet, portId, candidate)) return candidate;
    }
    return undefined;
  }

  async #used(trx: Trx, subnet: AllocatableSubnet): Promise<bigint> {
    let used = 0n;
    for (const pool of subnet.pools) {
      const { rows } = await countBetween(trx, this.#keys(subnet, pool.first, pool.last));
      used += BigInt(rows[0]?.n ?? 0);
    }
    return used;
  }

  #keys(subnet: AllocatableSubnet, from: bigint, to: bigint): KeyRange {
    return { subnet: subnet.id, from: addressKey(subnet.ipVersion, from), to: addressKey(subnet.ipVersion, to) };
  }

  /** Scans the pools once from a random address and keeps the free addresses that it finds as hints. */
  async #lookUpGaps(trx: Trx, subnet: AllocatableSubnet, size: bigint): Promise<void> {
    const start = addressAt(subnet.pools, randomBelow(size));
    const ahead = subnet.pools.flatMap((p) =>
      p.last >= start && p.first <= start ? [{ first: start, last: p.last }] : [],
    );
    const rest = subnet.pools.filter((p) => !(p.first <= start && p.last >= start));
    const behind = subnet.pools.flatMap((p) =>
      p.first < start && p.last >= start ? [{ first: p.first, last: start - 1n }] : [],
    );
    const found: bigint[] = [];
    for (const range of [...ahead, ...rest, ...behind]) {
      await this.#gapsOf(trx, subnet, range, found);
      if (found.length >= MOST_HINTS) break;
    }
    for (let i = found.length - 1; i > 0; i--) {
      const j = Math.floor(Math.random() * (i + 1));
      [found[i], found[j]] = [found[j] as bigint, found[i] as bigint];
    }
    if (this.#hints.size >= MOST_SUBNETS_WITH_HINTS) this.#hints.clear();
    this.#hints.set(subnet.id, found);
  }

  async #gapsOf(trx: Trx, subnet: AllocatableSubnet, range: PoolRange, found: bigint[]): Promise<void> {
    let from = range.first;
    while (from <= range.last && found.length < MOST_HINTS) {
      const { rows } = await keysBetween(trx, this.#keys(subnet, from, range.last));
      const taken = rows.map((r) => BigInt(`0x${r.address_key}`));
      const last = taken.at(-1);
      const known = rows.length < CHUNK || last === undefined ? range.last : last;
      found.push(...gaps(from, known, taken, MOST_HINTS - found.length));
      from = known + 1n;
    }
  }
}
