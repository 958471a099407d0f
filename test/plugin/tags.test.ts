import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openDatabase } from '../../src/db/open.ts';
import type { Core } from '../../src/plugin/core.ts';
import type { Document } from '../../src/plugin/module.ts';
import { MAX_TAGS } from '../../src/resources/tag-types.ts';
import { type HostileWorld, hostileWorld } from '../api/hostile-world.ts';
import { NASTY_TEXTS, NASTY_VALUES } from '../api/nasty.ts';
import { ADMIN, memberOf } from '../support/core.ts';
import { servicesOf } from '../support/services.ts';

// The world checks every exchange: no 5xx, a body in Neutron's format, no changes by a rejected request or a GET.
let world: HostileWorld;
beforeAll(async () => {
  world = await hostileWorld();
});
afterAll(() => world?.close());
afterEach(() => world.core.db.kysely.deleteFrom('tags').execute());

const PLURALS = ['networks', 'subnets', 'ports'] as const;
type Plural = (typeof PLURALS)[number];
type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';
const NOBODY = '99999999-9999-9999-9999-999999999999';

const at = (plural: string): string => `/v2.0/${plural}/${world.ids[plural]}`;
const pathOf = (plural: string, tag?: string): string =>
  `${at(plural)}/tags${tag === undefined ? '' : `/${encodeURIComponent(tag)}`}`;

async function ask(method: Method, url: string, body?: unknown, headers: Record<string, string> = {}) {
  const { status, body: text } = await world.send(method, url, body, headers);
  const json = text === '' ? undefined : JSON.parse(text);
  return { status, body: json, type: json?.NeutronError?.type as string | undefined };
}
const put = (plural: Plural, tags: unknown) => ask('PUT', pathOf(plural), { tags });
const tagsOf = async (plural: Plural): Promise<string[]> => (await ask('GET', pathOf(plural))).body.tags;
async function shown(plural: Plural): Promise<Document & { revision_number: number; tags: string[] }> {
  return (await ask('GET', at(plural))).body[plural.slice(0, -1)];
}
/** Returns by how much a request increments the revision. */
async function counted(plural: Plural, request: () => Promise<unknown>): Promise<number> {
  const { revision_number: before } = await shown(plural);
  await request();
  return (await shown(plural)).revision_number - before;
}

describe.each(PLURALS)('tags of %s', (plural) => {
  test('are empty at first', async () => {
    expect(await ask('GET', pathOf(plural))).toMatchObject({ status: 200, body: { tags: [] } });
  });

  test('are replaced by a PUT of all, which returns them unchanged', async () => {
    expect(await put(plural, ['red', 'blue'])).toMatchObject({ status: 200, body: { tags: ['red', 'blue'] } });
    expect(await tagsOf(plural)).toEqual(['blue', 'red']);
    expect((await shown(plural)).tags).toEqual(['blue', 'red']);
    await put(plural, ['green', 'red']);
    expect(await tagsOf(plural)).toEqual(['green', 'red']);
    await put(plural, []);
    expect(await tagsOf(plural)).toEqual([]);
  });

  test('are added one by one, once each', async () => {
    expect(await ask('PUT', pathOf(plural, 'red'))).toMatchObject({ status: 201, body: null });
    expect(await ask('PUT', pathOf(plural, 'red'))).toMatchObject({ status: 201, body: null });
    await ask('PUT', pathOf(plural, 'Red'));
    expect(await tagsOf(plural)).toEqual(['Red', 'red']);
  });

  test('are queried and removed one by one', async () => {
    await put(plural, ['red', 'blue']);
    expect(await ask('GET', pathOf(plural, 'red'))).toMatchObject({ status: 204, body: undefined });
    expect(await ask('GET', pathOf(plural, 'RED'))).toMatchObject({ status: 404, type: 'TagNotFound' });
    expect(await ask('DELETE', pathOf(plural, 'red'))).toMatchObject({ status: 204, body: undefined });
    expect(await ask('DELETE', pathOf(plural, 'red'))).toMatchObject({ status: 404, type: 'TagNotFound' });
    expect(await tagsOf(plural)).toEqual(['blue']);
  });

  test('are removed all at once, even if there are none', async () => {
    await put(plural, ['red', 'blue']);
    for (let i = 0; i < 2; i++) expect((await ask('DELETE', pathOf(plural))).status).toBe(204);
    expect(await tagsOf(plural)).toEqual([]);
  });

  test('increment the revision of their resource once, however many change, and not if nothing changes', async () => {
    const count = (method: Method, tag?: string, body?: unknown) =>
      counted(plural, () => ask(method, pathOf(plural, tag), body));
    expect(await count('PUT', undefined, { tags: ['a', 'b', 'c'] })).toBe(1);
    expect(await count('PUT', undefined, { tags: ['c', 'b', 'a'] })).toBe(0);
    expect(await count('PUT', undefined, { tags: ['c', 'd'] })).toBe(1);
    expect(await count('PUT', 'c')).toBe(0);
    expect(await count('PUT', 'e')).toBe(1);
    expect(await count('GET', 'e')).toBe(0);
    expect(await count('DELETE', 'e')).toBe(1);
    expect(await count('DELETE', 'e')).toBe(0);
    expect(await count('DELETE')).toBe(1);
    expect(await count('DELETE')).toBe(0);
  });

  test('update the time of their resource', async () => {
    const long = '2020-01-01 00:00:00';
    await world.core.db.kysely.updateTable('standardattributes').set({ updated_at: long, created_at: long }).execute();
    await put(plural, []);
    expect((await shown(plural)).updated_at).toBe('2020-01-01T00:00:00Z');
    await put(plural, ['red']);
    expect(await shown(plural)).toMatchObject({
      created_at: '2020-01-01T00:00:00Z',
      updated_at: expect.not.stringMatching(/^2020/),
    });
  });

  test('change only if the resource has the revision in If-Match', async () => {
    await put(plural, ['red']);
    const requests: readonly (readonly [Method, string | undefined, unknown])[] = [
      ['PUT', undefined, { tags: ['blue'] }],
      ['PUT', 'green', undefined],
      ['DELETE', 'green', undefined],
      ['DELETE', undefined, undefined],
    ];
    for (const [method, tag, body] of requests) {
      const { revision_number: revision } = await shown(plural);
      const send = (n: number) => ask(method, pathOf(plural, tag), body, { 'if-match': `revision_number=${n}` });
      expect(await send(revision - 1)).toMatchObject({ status: 412, type: 'RevisionNumberConstraintFailed' });
      expect((await send(revision)).status).toBeLessThan(300);
      expect((await shown(plural)).revision_number).toBe(revision + 1);
    }
  });

  test('of missing resources are not found, after errors of the request itself', async () => {
    const url = `/v2.0/${plural}/${NOBODY}/tags`;
    for (const [method, path, body] of [
      ['GET', url],
      ['PUT', url, { tags: [] }],
      ['DELETE', url],
      ['GET', `${url}/red`],
      ['PUT', `${url}/red`],
      ['DELETE', `${url}/red`],
    ] as const)
      expect(await ask(method, path, body)).toMatchObject({ status: 404, type: 'TagResourceNotFound' });
    const long = `${url}/${'t'.repeat(256)}`;
    for (const method of ['GET', 'PUT', 'DELETE'] as const)
      expect(await ask(method, long)).toMatchObject({ status: 400, type: 'InvalidInput' });
    expect(await ask('PUT', url, {})).toMatchObject({ status: 400, type: 'InvalidInput' });
  });

  test('cannot be set by updating the resource, and by creating it only if it is a port', async () => {
    const name = plural.slice(0, -1);
    const made = { network_id: world.ids.networks, cidr: '10.99.0.0/24', ip_version: 4 };
    const values = { networks: {}, subnets: made, ports: { network_id: made.network_id } }[plural];
    const create = (tags: unknown) => ask('POST', `/v2.0/${plural}`, { [name]: { ...values, tags } });
    if (plural === 'ports') {
      const { status, body } = await create(['b', 'a']);
      const port = body.port as { id: string; tags: string[] };
      expect([status, port.tags]).toEqual([201, ['a', 'b']]);
      expect((await ask('GET', `/v2.0/ports/${port.id}/tags`)).body).toEqual({ tags: ['a', 'b'] });
      expect(await create(['a', 'a'])).toMatchObject({ status: 400, type: 'InvalidInput' });
    } else expect(await create(['a'])).toMatchObject({ status: 400, type: 'HTTPBadRequest' });
    expect((await ask('PUT', at(plural), { [name]: { tags: ['a'] } })).status).toBe(400);
    expect(await ask('POST', pathOf(plural), { tags: ['a'] })).toMatchObject({ status: 404, type: 'HTTPNotFound' });
  });

  test('filter lists', async () => {
    await put(plural, ['red', 'blue']);
    const found = async (query: string) =>
      ((await ask('GET', `/v2.0/${plural}?${query}&fields=id`)).body[plural] as { id: string }[]).some(
        ({ id }) => id === world.ids[plural],
      );
    for (const query of ['tags=red,blue', 'tags-any=red,pink', 'not-tags=red,pink', 'not-tags-any=pink'])
      expect(await found(query), query).toBe(true);
    for (const query of ['tags=red,pink', 'tags-any=pink', 'not-tags=red,blue', 'not-tags-any=red,pink', 'tags=Red'])
      expect(await found(query), query).toBe(false);
  });
});

test('agents are not notified of tags', async () => {
  await world.core.db.kysely.deleteFrom('outbox').execute();
  for (const plural of PLURALS) await put(plural, ['red']);
  expect(await world.core.db.kysely.selectFrom('outbox').selectAll().execute()).toEqual([]);
});

test('tags of a subnet do not change its network', async () => {
  expect(await counted('networks', () => put('subnets', ['red']))).toBe(0);
});

test('resources without tags have no path for them', async () => {
  const url = `/v2.0/agents/${world.ids.agents}/tags`;
  expect(await ask('GET', url)).toMatchObject({ status: 404, type: 'HTTPNotFound' });
});

test('tags are deleted with their resource', async () => {
  const { body } = await ask('POST', '/v2.0/networks', { network: {} });
  await ask('PUT', `/v2.0/networks/${body.network.id}/tags/red`);
  await ask('DELETE', `/v2.0/networks/${body.network.id}`);
  expect(await world.core.db.kysely.selectFrom('tags').selectAll().execute()).toEqual([]);
});

describe('valid tags', () => {
  test.each(['x', '💣'])('have up to 255 characters, whatever their bytes: %s', async (character) => {
    expect((await put('ports', [character.repeat(255)])).status).toBe(200);
    expect((await ask('GET', pathOf('ports', character.repeat(255)))).status).toBe(204);
    expect(await put('ports', [character.repeat(256)])).toMatchObject({ status: 400, type: 'InvalidInput' });
    expect(await ask('PUT', pathOf('ports', character.repeat(256)))).toMatchObject({
      status: 400,
      type: 'InvalidInput',
    });
  });

  test.each([
    ['a newline', 'a\nb'],
    ['NUL', 'a\u0000b'],
    ['an escape', '\u001b[31m'],
    ['DEL', '\u007f'],
    ['half a surrogate pair', 'a\ud800'],
  ])('%s is refused', async (_what, tag) => {
    expect(await put('ports', ['fine', tag])).toMatchObject({ status: 400, type: 'InvalidInput' });
    if (tag.isWellFormed())
      for (const method of ['GET', 'PUT', 'DELETE'] as const)
        expect(await ask(method, pathOf('ports', tag))).toMatchObject({ status: 400, type: 'InvalidInput' });
  });

  test('are equal apart from trailing spaces, on every database', async () => {
    expect(await put('ports', ['a', 'a '])).toMatchObject({ status: 400, type: 'InvalidInput' });
    await put('ports', ['a ', ' a']);
    expect(await counted('ports', () => ask('PUT', pathOf('ports', 'a')))).toBe(0);
    expect(await tagsOf('ports')).toEqual([' a', 'a ']);
    await put('ports', ['a  ']);
    expect(await tagsOf('ports')).toEqual(['a  ']);
    expect((await ask('GET', pathOf('ports', 'a'))).status).toBe(204);
    expect((await ask('DELETE', pathOf('ports', 'a '))).status).toBe(204);
    expect(await tagsOf('ports')).toEqual([]);
  });

  test.each([
    ['no body', undefined],
    ['no object', ['a']],
    ['no tags', { x: [] }],
    ['a text', { tags: 'red' }],
    ['null', { tags: null }],
    ['a number among them', { tags: ['a', 1] }],
    ['the same twice', { tags: ['red', 'red'] }],
  ])('a PUT of all is refused with %s', async (_what, body) => {
    await put('ports', ['kept']);
    expect(await ask('PUT', pathOf('ports'), body)).toMatchObject({ status: 400, type: 'InvalidInput' });
    expect(await tagsOf('ports')).toEqual(['kept']);
  });

  test('are limited in number per resource', async () => {
    const many = Array.from({ length: MAX_TAGS }, (_, i) => `t${i}`);
    expect((await put('ports', [...many, 'more'])).type).toBe('InvalidInput');
    expect((await put('ports', many)).status).toBe(200);
    expect(await ask('PUT', pathOf('ports', 'more'))).toMatchObject({ status: 400, type: 'InvalidInput' });
    expect((await ask('PUT', pathOf('ports', 't0'))).status).toBe(201);
    expect(new Set(await tagsOf('ports'))).toEqual(new Set(many));
  });
});

describe('tags in paths', () => {
  test.each([
    'a/b',
    '/',
    'a%2Fb',
    '%',
    '100%',
    '%25',
    'a b',
    'a+b',
    'a?b=c&d',
    'a#b',
    'a;b',
    'a,b',
    'ö☃💣',
    'ä\u0308',
    ':tag',
    '*',
    '__proto__',
    "'; drop table tags; --",
    '\\',
    '"',
    'tags',
  ])('are what they say: %s', async (tag) => {
    expect((await ask('PUT', pathOf('ports', tag))).status).toBe(201);
    expect(await tagsOf('ports')).toEqual([tag]);
    expect((await ask('GET', pathOf('ports', tag))).status).toBe(204);
    expect((await ask('DELETE', pathOf('ports', tag))).status).toBe(204);
    expect(await tagsOf('ports')).toEqual([]);
  });

  test('may have the suffix that python-neutronclient sends', async () => {
    expect((await ask('PUT', `${pathOf('ports')}.json`, { tags: ['a.json'] })).status).toBe(200);
    expect((await ask('GET', `${pathOf('ports', 'a.json')}.json`)).status).toBe(204);
    expect((await ask('GET', pathOf('ports', 'a.json'))).status).toBe(404);
    expect((await ask('GET', `${pathOf('ports')}/a%2Ejson`)).status).toBe(204);
  });

  test.each(['%', '%zz', '%c3%28', '%ed%a0%80', '%00'])('are rejected if they are not text: %s', async (tag) => {
    for (const method of ['GET', 'PUT', 'DELETE'] as const)
      expect((await ask(method, `${pathOf('ports')}/${tag}`)).status).toBe(400);
  });
});

describe('tags are not harmed', () => {
  test('by any text in a path', async () => {
    for (const text of NASTY_TEXTS) {
      const tag = encodeURIComponent(text.toWellFormed());
      if (tag === '') continue;
      const added = await ask('PUT', `${pathOf('networks')}/${tag}`);
      expect([201, 400], text).toContain(added.status);
      if (added.status === 201) expect(await tagsOf('networks'), text).toEqual([text.toWellFormed()]);
      expect([204, 400], text).toContain((await ask('DELETE', `${pathOf('networks')}/${tag}`)).status);
      for (const method of ['GET', 'PUT', 'DELETE'] as const)
        expect((await ask(method, `/v2.0/networks/${tag}/tags/red`)).status).toBe(404);
    }
  });

  test('by any value in a body', async () => {
    for (const value of NASTY_VALUES)
      for (const body of [value, { tags: value }, { tags: [value] }, { tags: ['a', value] }, { tags: [], x: value }]) {
        const { status } = await ask('PUT', pathOf('networks'), body);
        if (status === 200)
          expect(new Set(await tagsOf('networks'))).toEqual(new Set((body as { tags: string[] }).tags));
      }
  });

  test('by an unknown project, which sees nothing', async () => {
    const other = memberOf('another');
    const call = { id: String(world.ids.networks), parameters: {}, body: undefined, revision: undefined };
    const tagged = { ...call, parameters: { tag: 'mine' } };
    const networks = servicesOf(world.core).of('network');
    await expect(networks.act(other, 'list_tags', call)).rejects.toMatchObject({ type: 'TagResourceNotFound' });
    await expect(networks.act(other, 'add_tag', tagged)).rejects.toMatchObject({ type: 'TagResourceNotFound' });
    await expect(networks.act(ADMIN, 'list_tags', call)).resolves.toEqual({ tags: [] });
  });
});

describe('two servers that change the tags of one resource simultaneously', () => {
  let second: Core;
  beforeEach(() => {
    second = { ...world.core, db: openDatabase(world.core.config) };
  });
  afterEach(() => second.db.close());
  const call = { id: '', parameters: {}, body: undefined, revision: undefined };
  const addTo = (core: Core, id: string, tag: string) =>
    servicesOf(core)
      .of('network')
      .act(ADMIN, 'add_tag', { ...call, id, parameters: { tag } });
  const replaceIn = (core: Core, id: string, tags: readonly string[], revision: number) =>
    servicesOf(core)
      .of('network')
      .act(ADMIN, 'replace_tags', { ...call, id, body: { tags }, revision });

  test('lose none, and increment the revision for each', async () => {
    const id = String(world.ids.networks);
    const tags = Array.from({ length: 40 }, (_, i) => `t${i}`);
    const add = () => Promise.all(tags.map((tag, i) => addTo(i % 2 === 0 ? world.core : second, id, tag)));
    expect(await counted('networks', add)).toBe(40);
    expect((await tagsOf('networks')).sort()).toEqual([...tags].sort());
  });

  test('do not exceed the limit together', async () => {
    const id = String(world.ids.networks);
    await put(
      'networks',
      Array.from({ length: MAX_TAGS - 3 }, (_, i) => `t${i}`),
    );
    const added = await Promise.allSettled(
      Array.from({ length: 10 }, (_, i) => addTo(i % 2 === 0 ? world.core : second, id, `more${i}`)),
    );
    expect(added.filter((a) => a.status === 'fulfilled')).toHaveLength(3);
    expect(await tagsOf('networks')).toHaveLength(MAX_TAGS);
  });

  test('add the same tag once', async () => {
    const id = String(world.ids.networks);
    const add = () => Promise.all([world.core, second].map((core) => addTo(core, id, 'same')));
    expect(await counted('networks', add)).toBe(1);
    expect(await tagsOf('networks')).toEqual(['same']);
  });

  test('change them once with If-Match', async () => {
    const id = String(world.ids.networks);
    const { revision_number: revision } = await shown('networks');
    const done = await Promise.allSettled(
      [world.core, second].map((core, i) => replaceIn(core, id, [`of${i}`], revision)),
    );
    expect(done.map((d) => d.status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(await tagsOf('networks')).toHaveLength(1);
  });
});
