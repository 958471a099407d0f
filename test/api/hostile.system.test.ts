import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { acceptable, type HostileWorld, hostileWorld } from './hostile-world.ts';
import { anyJson, anyText, NASTY_TEXTS, NASTY_VALUES } from './nasty.ts';

// The world checks every exchange: no 5xx, a body in Neutron's format, no changes by a rejected request.
let world: HostileWorld;

beforeAll(async () => {
  world = await hostileWorld();
});
afterAll(() => world?.close());

const PLURALS = [
  ...['networks', 'subnets', 'ports', 'agents', 'network_ip_availabilities'],
  ...['security_groups', 'security_group_rules', 'default_security_group_rules', 'address_groups'],
];
// Those that requests can create and update.
const MADE = ['networks', 'subnets', 'ports', 'security_groups', 'address_groups'] as const;
const resourceOf = (plural: string) => {
  const found = world.resources.find((r) => r.plural === plural);
  if (!found) throw new Error(`no resource '${plural}' is served`);
  return found;
};

const at = (plural: string) => `/v2.0/${resourceOf(plural).path}`;

describe.each(PLURALS)('%s are not harmed', (plural) => {
  test('by any hostile value of any attribute, on create and update', async () => {
    const { name, attributes } = resourceOf(plural);
    const url = at(plural);
    let nth = 0;
    for (const attribute of Object.keys(attributes)) {
      for (const value of NASTY_VALUES) {
        await world.send('POST', url, { [name]: { ...acceptable(plural, world.ids, nth++), [attribute]: value } });
        await world.send('PUT', `${url}/${world.ids[plural]}`, { [name]: { [attribute]: value } });
      }
    }
  });

  test('by any combination of attribute values', async () => {
    const { name, attributes } = resourceOf(plural);
    const given = fc.dictionary(fc.constantFrom(...Object.keys(attributes)), anyJson, { maxKeys: 6 });
    let nth = 0;
    await fc.assert(
      fc.asyncProperty(given, fc.boolean(), async (values, create) => {
        if (create)
          await world.send('POST', at(plural), {
            [name]: { ...acceptable(plural, world.ids, nth++), ...values },
          });
        else await world.send('PUT', `${at(plural)}/${world.ids[plural]}`, { [name]: values });
      }),
      { numRuns: 400 },
    );
  });

  test('by any filter, field, sort key or page', async () => {
    const { attributes } = resourceOf(plural);
    const names = [...Object.keys(attributes), 'tags', 'tags-any', 'not-tags', 'not-tags-any'];
    const special = [
      'fields',
      'sort_key',
      'sort_dir',
      'limit',
      'marker',
      'page_reverse',
      '__proto__',
      'constructor',
      '',
    ];
    for (const parameter of [...names, ...special])
      for (const text of NASTY_TEXTS) {
        const value = encodeURIComponent(text.toWellFormed());
        await world.send(
          'GET',
          `${at(plural)}?${encodeURIComponent(parameter)}=${value}${parameter === 'limit' ? '' : '&limit=2'}`,
        );
      }
    const query = fc.array(fc.tuple(fc.oneof(fc.constantFrom(...names, ...special), anyText), anyText), {
      maxLength: 6,
    });
    await fc.assert(
      fc.asyncProperty(query, async (pairs) => {
        await world.send('GET', `${at(plural)}?${new URLSearchParams(pairs)}&limit=2`);
      }),
      { numRuns: 300 },
    );
  });

  test('by sorting pages by any attribute', async () => {
    const { attributes } = resourceOf(plural);
    if (!('id' in attributes)) return;
    for (const [key, attribute] of Object.entries(attributes)) {
      for (const dir of ['asc', 'desc']) {
        const first = await world.send('GET', `${at(plural)}?sort_key=${key}&sort_dir=${dir}&limit=1&fields=id`);
        expect(first.status, `${key} ${dir}`).toBe(attribute.sort ? 200 : 400);
        if (first.status !== 200) continue;
        const marker = (JSON.parse(first.body) as Record<string, { id: string }[]>)[plural]?.[0]?.id;
        const page = `${at(plural)}?sort_key=${key}&sort_dir=${dir}&limit=2&marker=${marker}`;
        expect((await world.send('GET', page)).status).toBe(200);
        expect((await world.send('GET', `${page}&page_reverse=True`)).status).toBe(200);
      }
    }
  });

  test('by any id', async () => {
    for (const text of NASTY_TEXTS) {
      const id = encodeURIComponent(text.toWellFormed());
      if (id === '' || id === '.' || id === '..') continue;
      const { name, methods, attributes } = resourceOf(plural);
      const expected = (method: 'show' | 'update' | 'delete') => (methods.includes(method) ? 404 : 405);
      const url = `${at(plural)}/${id}`;
      expect((await world.send('GET', url)).status, id).toBe(expected('show'));
      expect((await world.send('DELETE', url)).status, id).toBe(expected('delete'));
      const body = { [name]: { description: 'x' } };
      const fixed = methods.includes('update') && !attributes.description?.put;
      expect((await world.send('PUT', url, body)).status, id).toBe(fixed ? 400 : expected('update'));
    }
  });
});

describe.each(MADE)('%s are not harmed', (plural) => {
  test('by any body', async () => {
    const { name } = resourceOf(plural);
    const bodies: readonly (string | Buffer)[] = [
      '',
      ' ',
      'null',
      'true',
      '0',
      '"x"',
      '[]',
      '[{}]',
      '{}',
      '{',
      '}',
      '{"',
      `{"${name}"`,
      `{"${name}":null}`,
      `{"${name}":[]}`,
      `{"${name}":{},}`,
      `{'${name}':{}}`,
      `{"${name}":{"name":"\\ud800"}}`,
      `{"${name}":{"name":"\\u0000"}}`,
      `{"${name}":{"__proto__":{"name":"x"}}}`,
      `{"${name}":{"constructor":{"prototype":{}}}}`,
      `{"__proto__":{"${name}":{}}}`,
      `{"${plural}":{}}`,
      `{"${plural}":[]}`,
      `{"${plural}":[null]}`,
      `{"${plural}":[[]]}`,
      `{"${plural}":[1,2]}`,
      `{"${plural}":[{"nope":1},{}]}`,
      `{"${plural}":[${'{},'.repeat(20_000)}{}]}`,
      `{"${name}":${'['.repeat(100)}${']'.repeat(100)}}`,
      '['.repeat(1_000_000),
      `{"${name}":{"mtu":1e999,"id":-1e999}}`,
      `\ufeff{"${name}":{"nope":1}}`,
      Buffer.from([0xff, 0xfe, 0x00, 0x7b]),
      Buffer.concat([Buffer.from(`{"${name}":{"nope":"`), Buffer.from([0xc3, 0x28]), Buffer.from('"}}')]),
      Buffer.alloc(1000),
      `${'{"a":'.repeat(60)}1${'}'.repeat(60)}`,
    ];
    for (const body of bodies) {
      const post = await world.sendRaw('POST', at(plural), body);
      if (plural !== 'networks') expect(post.status, String(body).slice(0, 200)).toBe(400);
      expect((await world.sendRaw('PUT', `${at(plural)}/${world.ids[plural]}`, body)).status).toBe(400);
    }
  });

  test('the last one of duplicate names wins (RFC 8259, section 4)', async () => {
    const { name } = resourceOf(plural);
    const url = `${at(plural)}/${world.ids[plural]}`;
    const { status, body } = await world.sendRaw('PUT', url, `{"${name}":{"name":"first","name":"last"}}`);
    expect(status).toBe(200);
    expect((JSON.parse(body) as Record<string, { name: string }>)[name]?.name).toBe('last');
  });
});

test('no input has reached a prototype', () => {
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  expect(Object.keys(Object.prototype)).toEqual([]);
});

test('bindings of networks to agents are not harmed by any body or id', async () => {
  const agent = `/v2.0/agents/${world.ids.agents}/dhcp-networks`;
  for (const value of NASTY_VALUES) {
    await world.send('POST', agent, { network_id: value });
    await world.send('POST', agent, value);
  }
  for (const text of NASTY_TEXTS) {
    const id = encodeURIComponent(text.toWellFormed());
    await world.send('GET', `/v2.0/agents/${id}/dhcp-networks`);
    await world.send('GET', `/v2.0/networks/${id}/dhcp-agents`);
    await world.send('POST', `/v2.0/agents/${id}/dhcp-networks`, { network_id: world.ids.networks });
    await world.send('DELETE', `${agent}/${id}`);
  }
});

describe('paths, methods and headers', () => {
  test('any path gets a response', async () => {
    const segment = fc.oneof(
      fc.constantFrom(
        'v2.0',
        'networks',
        'ports',
        'extensions',
        '..',
        '.',
        '',
        '*',
        ':id',
        '%',
        '%2f',
        '%00',
        '%zz',
        '%c3',
        'networks.json',
      ),
      anyText.map((text) => encodeURIComponent(text.toWellFormed())),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(segment, { maxLength: 5 }),
        fc.constantFrom('GET', 'POST', 'PUT', 'DELETE'),
        async (parts, method) => {
          await world.send(method, `/${parts.join('/')}`);
        },
      ),
      { numRuns: 1000 },
    );
  });

  test.each(['/v2.0/networks/%', '/v2.0/networks/%zz', '/v2.0/networks/%c3%28', '/%', '/v2.0/%'])(
    'a path with an invalid encoding is rejected: %s',
    async (path) => {
      const { status, body } = await world.send('GET', path);
      expect([400, 404]).toContain(status);
      expect(JSON.parse(body)).toHaveProperty('NeutronError.type');
    },
  );

  test('a query with an invalid encoding is read as far as possible', async () => {
    for (const query of [
      '%',
      'name=%',
      'name=%zz',
      'name=%c3%28',
      'name=%00',
      '&&&',
      '=',
      '=x',
      'name',
      'fields=%ff',
      'a[b]=c',
      '?',
    ])
      expect([200, 400], query).toContain((await world.send('GET', `/v2.0/networks?${query}`)).status);
  });

  test('invalid headers change nothing', async () => {
    const url = `/v2.0/networks/${world.ids.networks}`;
    for (const text of NASTY_TEXTS) {
      const value = Buffer.from(text.replace(/[^\x20-\x7e\x80-\xff]/g, '?'), 'latin1').toString('latin1');
      for (const header of [
        'if-match',
        'accept',
        'x-project-id',
        'x-tenant-id',
        'content-type',
        'x-auth-token',
        'host',
      ]) {
        const { status } = await world.send('GET', url, undefined, { [header]: value });
        expect([200, 400, 406], `${header}: ${value}`).toContain(status);
      }
      await world.send('PUT', url, { network: { name: 'h' } }, { 'if-match': `revision_number=${value}` });
      await world.send('POST', '/v2.0/networks', { network: { nope: 1 } }, { 'content-type': value });
    }
    expect(
      (await world.send('PUT', url, { network: {} }, { 'if-match': 'revision_number=99999999999999999999' })).status,
    ).not.toBe(500);
  });
});
