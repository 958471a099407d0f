import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { Resource } from '../../src/resources/attribute.ts';
import { EXTENSIONS } from '../../src/resources/extensions.ts';

const folder = new URL('../../src/resources/', import.meta.url);

const isResource = (value: unknown): value is Resource =>
  value !== null && typeof value === 'object' && 'attributes' in value && 'plural' in value && 'methods' in value;

/** Every resource that a file of src/resources declares. */
async function declared(): Promise<readonly Resource[]> {
  const files = readdirSync(fileURLToPath(folder)).filter((name) => name.endsWith('.ts'));
  const modules = await Promise.all(files.map((name) => import(new URL(name, folder).href) as Promise<object>));
  return modules.flatMap((module) => Object.values(module).filter(isResource));
}

const resources = await declared();
const known = [
  ...EXTENSIONS.map((e) => e.alias),
  ...resources.flatMap(({ brings = [] }) => brings.map(({ alias }) => alias)),
];

describe('extensions', () => {
  test('are described once', () => {
    expect(known.filter((alias, at) => known.indexOf(alias) !== at)).toEqual([]);
  });

  test.each(resources.map((r) => [r.plural, r] as const))('of %s: every named alias exists', (_, resource) => {
    const named = [resource.extension, ...Object.values(resource.attributes).map((a) => a.extension)];
    expect(named.filter((alias) => alias !== undefined && !known.includes(alias))).toEqual([]);
  });
});

describe.each(resources.map((r) => [r.plural, r] as const))('the declaration of %s', (_, resource) => {
  const attributes = Object.entries(resource.attributes);

  test('describes each attribute', () => {
    for (const [name, { help }] of attributes) expect(help, name).toMatch(/\S/);
  });

  test('defines what a create without an attribute means', () => {
    for (const [name, { post, optional, default: fallback }] of attributes) {
      if (!post) expect([optional, fallback], name).toEqual([undefined, undefined]);
      else expect(optional === true && fallback !== undefined, `${name} is optional and has a default`).toBe(false);
    }
  });

  test('has defaults that its own types accept unchanged', () => {
    for (const [name, { type, default: fallback }] of attributes)
      if (fallback !== undefined) expect(type.parse(fallback, name), name).toEqual(fallback);
  });

  test('allows sorting only by columns', () => {
    for (const [name, { sort, column }] of attributes) if (sort) expect(column, name).toMatch(/^\w+\.\w+$/);
  });
});
