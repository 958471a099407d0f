import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type HostileWorld, hostileWorld } from './hostile-world.ts';

interface Page {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}

let world: HostileWorld;
let page: Page;
let ajv: Ajv2020;

beforeAll(async () => {
  world = await hostileWorld();
  page = JSON.parse((await world.send('GET', '/v2.0/openapi.json')).body) as Page;
  ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
  ajv.addSchema(page, 'page');
});
afterAll(() => world?.close());

const schema = (name: string) => ajv.compile({ $ref: `page#/components/schemas/${name}` });

describe('GET /v2.0/openapi.json', () => {
  test('describes every served resource and its operations', () => {
    expect(page.openapi).toBe('3.1.0');
    for (const resource of world.resources) {
      const parent = resource.parent?.inPath && world.resources.find(({ name }) => name === resource.parent?.name);
      const collection = `${resource.base ?? '/v2.0'}/${parent ? `${parent.path}/{${resource.parent?.by}}/` : ''}${resource.path}`;
      const all = Object.keys(page.paths[collection] ?? {}).filter((key) => key !== 'parameters');
      expect(all, collection).toEqual([
        ...(resource.methods.includes('list') ? ['get'] : []),
        ...(resource.methods.includes('create') ? ['post'] : []),
      ]);
      const item = page.paths[`${collection}/{id}`] ?? {};
      expect('get' in item, resource.plural).toBe(resource.methods.includes('show'));
    }
  });

  test('summarizes operations in English: articles, and words without underscores', () => {
    const summaries = Object.values(page.paths).flatMap((methods) =>
      Object.values(methods).map((operation) => (operation as { summary?: string }).summary ?? ''),
    );
    expect(summaries).toEqual(
      expect.arrayContaining(['Show an agent', 'Create an address scope, or several: all or none', 'Delete a port']),
    );
    expect(summaries.filter((summary) => /_|\ba [aeio]/.test(summary))).toEqual([]);
  });

  test('describes routes without a resource: versions, extensions, health', () => {
    for (const path of ['/', '/v2.0', '/v2.0/extensions', '/v2.0/extensions/{alias}', '/healthcheck'])
      expect(page.paths, path).toHaveProperty([path]);
  });

  test.each([
    ['networks', 'network', 'Network'],
    ['subnets', 'subnet', 'Subnet'],
    ['ports', 'port', 'Port'],
  ])('fits what is answered of %s', async (plural, name, schemaName) => {
    const { body } = await world.send('GET', `/v2.0/${plural}`);
    const fits = schema(schemaName);
    const { properties = {} } = page.components.schemas[schemaName] as { properties?: Record<string, unknown> };
    for (const one of (JSON.parse(body) as Record<string, Record<string, unknown>[]>)[plural] ?? []) {
      expect(fits(one), JSON.stringify(fits.errors)).toBe(true);
      expect(Object.keys(one).filter((key) => !(key in properties))).toEqual([]);
    }
    expect(name).not.toBe('');
  });

  test('states what a create requires, and excludes attributes that the server rejects as unknown', () => {
    const create = schema('PortCreate');
    expect(create({ network_id: world.ids.networks })).toBe(true);
    expect(create({})).toBe(false);
    expect(create({ network_id: world.ids.networks, nope: 1 })).toBe(false);
    expect(schema('PortUpdate')({ status: 'ACTIVE' })).toBe(false);
    expect(schema('PortUpdate')({ name: 'x' })).toBe(true);
  });
});
