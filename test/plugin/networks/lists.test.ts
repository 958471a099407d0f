import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Document } from '../../../src/plugin/module.ts';
import type { Service } from '../../../src/plugin/service.ts';
import type { ListQuery } from '../../../src/store/listing.ts';
import { ADMIN } from '../../support/core.ts';
import { openWorld, outcomeOf, type World } from '../subnets/world.ts';

const NETWORKS = 2000;
const SUBNETS = 300;
let world: World;
let networks: readonly Document[];
let subnets: readonly Document[];

const ALL: ListQuery = { filters: {}, sorts: [], pageReverse: false };
const BULK = 500;

beforeAll(async () => {
  world = await openWorld({ ml2: { tenant_network_types: ['local'] } });
  for (let at = 0; at < NETWORKS; at += BULK)
    await world.networks.createAll(
      Array.from({ length: BULK }, (_, i) => ({
        name: `n${(at + i) % 7}`,
        mtu: 1000 + ((at + i) % 5),
        admin_state_up: (at + i) % 3 === 0,
        shared: (at + i) % 11 === 0,
        description: (at + i) % 2 === 0 ? 'even' : 'ödd ☃',
      })),
    );
  const { id } = await world.networks.create({ name: 'of subnets' });
  await world.subnets.createAll(
    Array.from({ length: SUBNETS }, (_, i) => ({
      network_id: id,
      ip_version: i % 2 === 0 ? 4 : 6,
      cidr: i % 2 === 0 ? `10.${i % 256}.${i >> 8}.0/24` : `fd00:${i}::/64`,
      ...(i % 3 === 0 ? { gateway_ip: null } : {}),
    })),
  );
  networks = await world.networks.service.list(ADMIN, ALL);
  subnets = await world.subnets.service.list(ADMIN, ALL);
});
afterAll(() => world?.close());

type Sorts = ListQuery['sorts'];

/** Null sorts before everything else; false before true. */
function compare(a: unknown, b: unknown): number {
  if (a === b) return 0;
  if (a === null) return -1;
  if (b === null) return 1;
  return (a as string | number) < (b as string | number) ? -1 : 1;
}

/** The expected order of a list: by its keys, then by id. */
function sorted(documents: readonly Document[], sorts: Sorts): readonly string[] {
  const keys = [...sorts, { attribute: 'id', descending: false }];
  return [...documents]
    .sort((a, b) => {
      for (const { attribute, descending } of keys) {
        const order = compare(a[attribute], b[attribute]);
        if (order !== 0) return descending ? -order : order;
      }
      return 0;
    })
    .map((d) => String(d.id));
}

/** Returns all ids, page by page, forwards or backwards (reversed). */
async function throughPages(
  service: Service,
  query: ListQuery,
  limit: number,
  backwards: boolean,
): Promise<readonly string[]> {
  const ids: string[] = [];
  for (let pages = 0; pages < 100; pages++) {
    const marker = backwards ? ids[0] : ids.at(-1);
    const page = await service.list(ADMIN, {
      ...query,
      limit,
      pageReverse: backwards,
      ...(marker === undefined ? {} : { marker }),
    });
    expect(page.length).toBeLessThanOrEqual(limit);
    const more = page.map((d) => String(d.id));
    if (backwards) ids.unshift(...more);
    else ids.push(...more);
    if (page.length < limit) return ids;
  }
  throw new Error('the pages do not end');
}

const sortsOf = (attributes: readonly string[]): fc.Arbitrary<Sorts> =>
  fc
    .uniqueArray(fc.constantFrom(...attributes), { maxLength: 3 })
    .chain((names) =>
      fc.tuple(...names.map((attribute) => fc.record({ attribute: fc.constant(attribute), descending: fc.boolean() }))),
    );

describe('lists of thousands of networks', () => {
  test('contain everything once', () => {
    expect(networks).toHaveLength(NETWORKS + 1);
    expect(new Set(networks.map((n) => n.id)).size).toBe(NETWORKS + 1);
    expect(subnets).toHaveLength(SUBNETS);
  });

  test('have the same order page by page, forwards and backwards, as in one page', async () => {
    const keys = ['name', 'mtu', 'admin_state_up', 'description', 'status', 'id', 'project_id', 'revision_number'];
    await fc.assert(
      fc.asyncProperty(
        sortsOf(keys),
        fc.integer({ min: 150, max: 2500 }),
        fc.boolean(),
        async (sorts, limit, backwards) => {
          const ids = await throughPages(world.networks.service, { ...ALL, sorts }, limit, backwards);
          expect(ids).toEqual(sorted(networks, sorts));
        },
      ),
      { numRuns: 25 },
    );
  });

  test('lose nothing if some keys are null', async () => {
    const keys = ['gateway_ip', 'ip_version', 'ipv6_ra_mode', 'segment_id', 'cidr', 'enable_dhcp'];
    await fc.assert(
      fc.asyncProperty(
        sortsOf(keys),
        fc.integer({ min: 7, max: 100 }),
        fc.boolean(),
        async (sorts, limit, backwards) => {
          const ids = await throughPages(world.subnets.service, { ...ALL, sorts }, limit, backwards);
          expect(ids).toEqual(sorted(subnets, sorts));
        },
      ),
      { numRuns: 40 },
    );
  });

  test('contain exactly what matches one value of every filter', async () => {
    const filters = fc.record(
      {
        name: fc.uniqueArray(fc.constantFrom('n0', 'n3', 'n6', 'nobody', ''), { minLength: 1 }),
        mtu: fc.uniqueArray(fc.constantFrom('1000', '1001', '7', 'x'), { minLength: 1 }),
        admin_state_up: fc.uniqueArray(fc.constantFrom('true', 'False', '1', '0'), { minLength: 1 }),
        shared: fc.uniqueArray(fc.constantFrom('true', 'false'), { minLength: 1 }),
        description: fc.uniqueArray(fc.constantFrom('even', 'ödd ☃'), { minLength: 1 }),
      },
      { requiredKeys: [] },
    );
    const truth = (text: string) => /^(true|1)$/i.test(text);
    await fc.assert(
      fc.asyncProperty(filters, sortsOf(['name', 'mtu']), async (wanted, sorts) => {
        const matching = networks.filter((n) =>
          Object.entries(wanted).every(([name, values]) => {
            const value = n[name];
            return (values as readonly string[]).some((v) =>
              typeof value === 'boolean' ? truth(v) === value : String(value) === v,
            );
          }),
        );
        const found = await world.networks.service.list(ADMIN, {
          ...ALL,
          filters: wanted as ListQuery['filters'],
          sorts,
        });
        expect(found.map((n) => n.id)).toEqual(sorted(matching, sorts));
      }),
      { numRuns: 40 },
    );
  });

  test('start after the marker even if its row does not match the filters', async () => {
    const query = { ...ALL, sorts: [{ attribute: 'name', descending: false }] };
    const marker = String(networks.find((n) => n.name === 'n3')?.id);
    const page = await world.networks.service.list(ADMIN, {
      ...query,
      filters: { name: ['n2', 'n5'] },
      marker,
      limit: 10,
    });
    expect(page.map((n) => n.name)).toEqual(Array<string>(10).fill('n5'));
  });

  test('reject a marker whose row is gone', async () => {
    const { id } = await world.networks.create({});
    await world.networks.remove(id);
    expect(await outcomeOf(world.networks.service.list(ADMIN, { ...ALL, marker: id, limit: 5 }))).toBe(
      'NetworkNotFound',
    );
    expect(await outcomeOf(world.subnets.service.list(ADMIN, { ...ALL, marker: id, limit: 5 }))).toBe('SubnetNotFound');
    expect(await outcomeOf(world.ports.service.list(ADMIN, { ...ALL, marker: id, limit: 5 }))).toBe('PortNotFound');
  });
});

describe('network lists are also filtered by attributes without a column', () => {
  const ids = async (filters: ListQuery['filters']) =>
    (await world.networks.service.list(ADMIN, { ...ALL, filters })).map((n) => n.name);

  test('provider attributes, subnets, domains, hints, adjacency', async () => {
    const values = {
      'provider:network_type': 'vlan',
      'provider:physical_network': 'p"x',
      'provider:segmentation_id': 7,
    };
    await world.networks.update((await world.networks.create({ name: 'dns' })).id, { dns_domain: 'example.org.' });
    await world.core.db.kysely
      .insertInto('networksegments')
      .values({
        id: 'segment-of-test',
        network_id: String(networks[0]?.id),
        name: null,
        network_type: values['provider:network_type'],
        physical_network: values['provider:physical_network'],
        segmentation_id: values['provider:segmentation_id'],
        segment_index: 1,
        is_dynamic: 0,
        standard_attr_id: await attribute(),
      })
      .execute();
    const expected = [networks[0]?.name];
    for (const [name, value] of Object.entries(values))
      expect(await ids({ [name]: [String(value)] }), name).toEqual(expected);
    expect(await ids({ subnets: [String(subnets[0]?.id)] })).toEqual(['of subnets']);
    expect(await ids({ dns_domain: ['example.org.'] })).toEqual(['dns']);
    expect(await ids({ dns_domain: [''], name: ['dns'] })).toEqual([]);
    expect(await ids({ l2_adjacency: ['false'] })).toEqual([]);
    expect(await ids({ availability_zone_hints: ['nowhere'] })).toEqual([]);
  });

  async function attribute(): Promise<number> {
    const { insertId } = await world.core.db.kysely
      .insertInto('standardattributes')
      .values({ resource_type: 'networksegments', description: '', revision_number: 0, created_at: '', updated_at: '' })
      .executeTakeFirstOrThrow();
    return Number(insertId);
  }

  test('tags: all of them, any of them, not all, none', async () => {
    const rows = await world.core.db.kysely
      .selectFrom('networks')
      .select(['id', 'standard_attr_id'])
      .orderBy('id')
      .limit(3)
      .execute();
    const tags = [['red'], ['red', 'blue'], ['blue']];
    for (const [i, row] of rows.entries())
      for (const tag of tags[i] ?? [])
        await world.core.db.kysely.insertInto('tags').values({ standard_attr_id: row.standard_attr_id, tag }).execute();
    const found = async (filters: ListQuery['filters']) => {
      const list = await world.networks.service.list(ADMIN, {
        ...ALL,
        filters: { ...filters, id: rows.map((r) => r.id) },
      });
      return list.map((n) => rows.findIndex((r) => r.id === n.id)).sort();
    };
    expect(await found({ tags: ['red,blue'] })).toEqual([1]);
    expect(await found({ tags: ['red'] })).toEqual([0, 1]);
    expect(await found({ 'tags-any': ['red,blue'] })).toEqual([0, 1, 2]);
    expect(await found({ 'not-tags': ['red,blue'] })).toEqual([0, 2]);
    expect(await found({ 'not-tags-any': ['red'] })).toEqual([2]);
  });

  test('subnets: service types and DNS servers', async () => {
    const { id } = await world.networks.create({});
    const made = await world.subnets.create({
      network_id: id,
      ip_version: 4,
      cidr: '10.0.0.0/24',
      service_types: ['compute:x'],
      dns_nameservers: ['10.0.0.7'],
    });
    for (const filters of [{ service_types: ['compute:x', 'y'] }, { dns_nameservers: ['10.0.0.7'] }])
      expect((await world.subnets.service.list(ADMIN, { ...ALL, filters })).map((s) => s.id)).toEqual([made.id]);
  });
});
