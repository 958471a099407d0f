import { readFileSync } from 'node:fs';
import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildApi } from '../../src/api/app.ts';
import { isUnservedRule } from '../../src/auth/neutron-rules.ts';
import { methodAction, Policy } from '../../src/auth/policy.ts';
import { AddressAllocator } from '../../src/ipam/allocate.ts';
import { UNLIMITED } from '../../src/plugin/quotas/limits.ts';
import { resourceModules, serveResources } from '../../src/plugin/resources.ts';
import type { Service } from '../../src/plugin/service.ts';
import { actionPolicy } from '../../src/resources/action.ts';
import { ADMIN, openCore, type TestCore } from '../support/core.ts';

interface Route {
  readonly method: string;
  readonly url: string;
}

let core: TestCore;
let api: FastifyInstance;
let services: readonly Service[];
const routes: Route[] = [];

/** A policy that denies every action that the declarations know. */
const denyAll = (resources: ConstructorParameters<typeof Policy>[0]): Policy => {
  const { actions } = new Policy(resources);
  return new Policy(resources, { overrides: new Map(actions.map((action) => [action, '!'])) });
};

beforeAll(async () => {
  core = await openCore();
  const allocator = new AddressAllocator();
  const served = serveResources(core, resourceModules(core, allocator, UNLIMITED), {
    policyOf: denyAll,
    quotas: UNLIMITED,
  });
  services = served.services;
  api = buildApi({
    config: core.config,
    log: core.log as FastifyBaseLogger,
    callerOf: (headers, requestId) => ({ ...ADMIN, requestId, projectId: String(headers['x-project-id'] ?? 'p1') }),
    services,
    routes(app) {
      app.addHook('onRoute', ({ method, url }) => {
        for (const one of [method].flat()) routes.push({ method: one, url });
      });
      return undefined;
    },
  });
  await api.ready();
});
afterAll(async () => {
  await api?.close();
  await core?.dispose();
});

/** Routes that say nothing about resources. */
const PUBLIC = ['/v2.0/openapi', '/openapi'];

describe('every route', () => {
  test('belongs to a declared method or action, which has a rule', () => {
    const { actions } = new Policy(services.map(({ resource }) => resource));
    const rules = services.flatMap(({ resource }) => [
      ...resource.methods.map((method) => methodAction(resource, method)),
      ...Object.entries(resource.actions ?? {}).map(([name, action]) => actionPolicy(name, action)),
    ]);
    expect(rules.filter((rule) => !actions.includes(rule))).toEqual([]);
    const paths = new Set(services.flatMap(({ resource: { path, tagPath = path } }) => [path, tagPath]));
    const strays = routes.filter(
      ({ url }) => !PUBLIC.includes(url) && ![...paths].some((path) => url.includes(`/${path}`)),
    );
    expect(strays).toEqual([]);
    expect(routes.length).toBeGreaterThan(200);
  });

  test('answers nothing to anybody, administrators included, if the policy denies all actions', async () => {
    const answered: string[] = [];
    for (const { method, url } of routes) {
      if (PUBLIC.includes(url) || method === 'OPTIONS') continue;
      const path = url.replaceAll(/:\w+/g, '11111111-1111-4111-8111-111111111111');
      const body = {
        method: method as 'GET',
        url: path,
        ...(method === 'POST' || method === 'PUT' ? { payload: {} } : {}),
      };
      const { statusCode, body: text } = await api.inject(body);
      expect(statusCode, `${method} ${url}: ${text}`).toBeLessThan(500 + (statusCode === 501 ? 2 : 0));
      // An empty list is no answer.
      if (statusCode < 300 && !/^\{"\w+":\[\]\}$/.test(text)) answered.push(`${method} ${url}`);
    }
    // Which project a request is for is no secret to whoever sends it.
    expect(answered).toEqual(['GET /v2.0/quotas/tenant', 'GET /v2.0/quotas/project']);
  });
});

describe("Neutron's own rules", () => {
  const names = JSON.parse(
    readFileSync(new URL('../fixtures/policy/neutron-rules.json', import.meta.url), 'utf8'),
  ) as Readonly<Record<string, readonly string[]>>;

  test.each(Object.entries(names))('of release %s are all known here, or named as unserved', (_, all) => {
    const resources = services.map(({ resource }) => resource);
    const served = all.filter((name) => !isUnservedRule(name));
    expect(served.length).toBeGreaterThan(20);
    expect(() => new Policy(resources, { overrides: new Map(served.map((name) => [name, '!'])) })).not.toThrow();
  });
});
