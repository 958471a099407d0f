import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type HostileWorld, hostileWorld } from './hostile-world.ts';

interface Page {
  readonly networks: readonly { readonly id: string; readonly name: string }[];
  readonly networks_links?: readonly { readonly rel: string; readonly href: string }[];
}

let world: HostileWorld;
beforeAll(async () => {
  world = await hostileWorld({ DEFAULT: { pagination_max_limit: '3', allow_bulk: false } });
  for (let i = 0; i < 10; i++) await world.send('POST', '/v2.0/networks', { network: { name: `n${i}` } });
});
afterAll(() => world?.close());

async function get(url: string): Promise<Page> {
  const { status, body } = await world.send('GET', url);
  expect(status, body).toBe(200);
  return JSON.parse(body) as Page;
}
const linkOf = (page: Page, rel: string): string | undefined => {
  const href = page.networks_links?.find((l) => l.rel === rel)?.href;
  if (href === undefined) return undefined;
  const { pathname, search } = new URL(href);
  return `${pathname}${search}`;
};

/** Returns the names on all pages, following one kind of link from the first page. */
async function follow(first: string, rel: 'next' | 'previous'): Promise<readonly string[]> {
  const names: string[] = [];
  let url: string | undefined = first;
  for (let pages = 0; url !== undefined && pages < 20; pages++) {
    const page: Page = await get(url);
    if (page.networks.length === 0) break;
    expect(page.networks.length).toBeLessThanOrEqual(3);
    names.push(...(rel === 'next' ? page.networks : page.networks.toReversed()).map((n) => n.name));
    url = linkOf(page, rel);
  }
  return names;
}

const ALL = ['hostile', ...Array.from({ length: 10 }, (_, i) => `n${i}`)];

describe('pages with a limit (pagination_max_limit)', () => {
  test.each(['', '&limit=2', '&limit=0', '&limit=1000', '&fields=name'])(
    'following the next links returns everything once, in order: %s',
    async (limit) => {
      expect(await follow(`/v2.0/networks?sort_key=name&sort_dir=asc${limit}`, 'next')).toEqual(ALL);
    },
  );

  test('following the previous links from the end returns everything once, in reverse order', async () => {
    const url = '/v2.0/networks?sort_key=name&sort_dir=asc&page_reverse=True';
    expect(await follow(url, 'previous')).toEqual(ALL.toReversed());
  });

  test('links keep the query, whatever its characters, and change only the marker', async () => {
    const page = await get(
      `/v2.0/networks?sort_key=name&sort_dir=asc&name=n1&name=${encodeURIComponent('ö &=☃')}&limit=1`,
    );
    const next = new URL(linkOf(page, 'next') ?? '', 'http://x');
    expect(next.searchParams.getAll('name')).toEqual(['n1', 'ö &=☃']);
    expect(next.searchParams.getAll('marker')).toEqual([page.networks[0]?.id]);
    expect(linkOf(await get(`${next.pathname}${next.search}`), 'next')).toBeUndefined();
  });

  test('an empty page has a previous link without a marker', async () => {
    const page = await get('/v2.0/networks?name=nobody&limit=2');
    expect(page.networks).toEqual([]);
    expect(linkOf(page, 'next')).toBeUndefined();
    expect(linkOf(page, 'previous')).toBe('/v2.0/networks?name=nobody&limit=2&page_reverse=True');
  });

  test('resources without an id are listed completely, without links', async () => {
    const { body } = await world.send('GET', '/v2.0/network-ip-availabilities');
    const list = JSON.parse(body) as Record<string, unknown[]>;
    expect(Object.keys(list)).toEqual(['network_ip_availabilities']);
    expect(list.network_ip_availabilities).toHaveLength(ALL.length);
  });
});

test('with allow_bulk off, bulk creates are rejected', async () => {
  const { status, body } = await world.send('POST', '/v2.0/networks', { networks: [{}] });
  expect(status).toBe(400);
  expect(JSON.parse(body)).toHaveProperty('NeutronError.message', 'Bulk operation not supported');
});
