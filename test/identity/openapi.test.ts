import Fastify from 'fastify';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { identityProvider } from '../../src/auth/providers.ts';
import { IDENTITY_OPERATIONS } from '../../src/identity/routes/operations.ts';
import { type IdentityWorld, identityWorld } from './world.ts';

let world: IdentityWorld;
beforeAll(async () => {
  world = await identityWorld();
});
afterAll(() => world?.close());

test('OpenAPI describes every route of Identity, and no others', async () => {
  const { core } = world;
  const provider = await identityProvider(core);
  const app = Fastify({ exposeHeadRoutes: false });
  const served: string[] = [];
  app.addHook('onRoute', ({ method, url }) => {
    const path = url.replace(/\/$/, '').replace(/:(\w+)/g, '{$1}');
    for (const one of [method].flat()) served.push(`${one.toLowerCase()} ${path}`);
  });
  provider.routes?.(app, { note: () => undefined, by: () => undefined, failed: () => undefined });
  await app.ready();
  const operations = Object.entries(IDENTITY_OPERATIONS).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method} ${path}`),
  );
  expect([...new Set(served)].sort()).toEqual(operations.sort());
  const { paths } = (await world.request({ url: '/openapi.json' })).json<{ paths: Record<string, object> }>();
  for (const [path, methods] of Object.entries(IDENTITY_OPERATIONS))
    expect(Object.keys(paths[path] ?? {}), path).toEqual(expect.arrayContaining(Object.keys(methods)));
});
