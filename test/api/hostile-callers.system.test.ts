import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { collectionPath } from '../../src/api/routes/resource.ts';
import { actionPath } from '../../src/resources/action.ts';
import type { Resource } from '../../src/resources/attribute.ts';
import { type Answer, type CallersApi, openCallersApi } from '../support/callers.ts';
import { NASTY_TEXTS, NASTY_VALUES } from './nasty.ts';
import { type OneOfEach, OWNER, oneOfEach } from './one-of-each.ts';

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

/** A route with what its body may contain. */
interface Route {
  readonly method: Method;
  /** With `{...}` for ids. */
  readonly path: string;
  readonly resource: Resource;
  /** Key around the attributes; absent: they are the body. */
  readonly wrapped?: string;
  readonly attributes: readonly string[];
}

let api: CallersApi;
let each: OneOfEach;
let watcher: DatabaseSync | undefined;
let routes: readonly Route[];

/** Changes whenever another connection commits (SQLite only). */
const version = (): unknown => Object.values(watcher?.prepare('pragma data_version').get() ?? {})[0];

function routesOf(resources: readonly Resource[], collections: ReadonlyMap<string, string>): readonly Route[] {
  return resources.flatMap((resource): Route[] => {
    const collection = collections.get(resource.name) ?? '';
    const wrapped = resource.name;
    const settable = (verb: 'post' | 'put') =>
      Object.keys(resource.attributes).filter((name) => resource.attributes[name]?.[verb]);
    const one = `${collection}/{id}`;
    const all: readonly (readonly [boolean, Route])[] = [
      [resource.methods.includes('list'), { method: 'GET', path: collection, resource, attributes: [] }],
      [
        resource.methods.includes('create'),
        { method: 'POST', path: collection, resource, wrapped, attributes: settable('post') },
      ],
      [resource.methods.includes('show'), { method: 'GET', path: one, resource, attributes: [] }],
      [
        resource.methods.includes('update'),
        { method: 'PUT', path: one, resource, wrapped, attributes: settable('put') },
      ],
      [resource.methods.includes('delete'), { method: 'DELETE', path: one, resource, attributes: [] }],
    ];
    const methods = all.flatMap(([served, route]) => (served ? [route] : []));
    const actions = Object.entries(resource.actions ?? {}).map(([name, action]): Route => {
      const properties = action.body?.schema.properties as object | undefined;
      return {
        method: action.method.toUpperCase() as Method,
        path: actionPath(collection, name, action),
        resource,
        attributes: Object.keys(properties ?? {}),
      };
    });
    return [...methods, ...actions];
  });
}

beforeAll(async () => {
  api = await openCallersApi();
  each = await oneOfEach(api);
  // The first list makes the default group of the caller's own project.
  for (const caller of ALL) await api.ask('GET', '/security-groups', undefined, caller);
  const file = /^sqlite:\/\/\/(.*)$/.exec(api.core.connection)?.[1];
  watcher = file === undefined ? undefined : new DatabaseSync(file);
  const collections = new Map<string, string>();
  for (const service of api.services) {
    const { name, parent } = service.resource;
    collections.set(name, collectionPath(service, parent && collections.get(parent.name)));
  }
  routes = routesOf(
    api.services.map(({ resource }) => resource),
    collections,
  );
});
afterAll(async () => {
  watcher?.close();
  await api.close();
});

/** Everything that would let others see what is the owner's. */
const SHARING = [
  'shared',
  'router:external',
  'is_default',
  'target_tenant',
  'target_project',
  'project_id',
  'tenant_id',
];

/** Returns the projects of all documents within a value. */
function* projectsWithin(value: unknown): Generator<unknown> {
  if (value === null || typeof value !== 'object') return;
  if ('project_id' in value) yield value.project_id;
  for (const inner of Object.values(value)) yield* projectsWithin(inner);
}

const pathOf = (route: Route, id: string | undefined): string =>
  route.path
    .slice('/v2.0'.length)
    .replace(/\{(\w+)\}/g, (_, name: string) =>
      encodeURIComponent(
        (
          id ??
          (name === 'id' ? each.ids[route.resource.name] : each.ids[name.replace(/_id$/, '')]) ??
          'x'
        ).toWellFormed(),
      ),
    );

async function send(caller: string, route: Route, values: object, id?: string): Promise<Answer> {
  const body = route.method === 'GET' || route.method === 'DELETE' ? undefined : values;
  const before = version();
  const wrapped = body && route.wrapped ? { [route.wrapped]: body } : body;
  const answer = await api.ask(route.method, pathOf(route, id), wrapped, caller);
  const sent = `${caller}: ${route.method} ${pathOf(route, id)} ${JSON.stringify(wrapped)?.slice(0, 500)}`;
  if (answer.status >= 500) throw new Error(`${answer.status} to ${sent}: ${JSON.stringify(answer.json)}`);
  if (answer.status >= 400 || route.method === 'GET')
    expect(version(), `changed by ${answer.status} to ${sent}`).toBe(before);
  if (caller.startsWith('p2') || caller.startsWith('p3'))
    expect([...projectsWithin(answer.json)], `foreign document to ${sent}`).not.toContain(OWNER);
  return answer;
}

/** Returns a route by its index, which is all that a counterexample shows of it. */
function routeAt(nth: number): Route {
  const route = routes[nth];
  if (!route) throw new Error(`there is no route ${nth}`);
  return route;
}

const STRANGERS = ['p2', 'p2:reader', 'p2:manager:member:reader', 'p3:nobody', 'p2:'];
const ALL = ['admin', OWNER, `${OWNER}:reader`, `${OWNER}:nobody`, 'ps:service', ...STRANGERS];

const valuesFor = (route: Route, allowSharing: boolean) => {
  const names = allowSharing ? route.attributes : route.attributes.filter((name) => !SHARING.includes(name));
  const value = fc.oneof(
    fc.constantFrom(...NASTY_VALUES),
    fc.constantFrom(...Object.values(each.ids)),
    fc.constantFrom(...Object.values(each.ids)).map((id) => [id]),
    fc.constantFrom<unknown>(true, 1, 4, 6, '10.77.0.0/24', ['10.0.0.5'], 'ingress', 'tcp'),
  );
  return names.length === 0
    ? fc.constant({})
    : fc.dictionary(fc.constantFrom(...names), value, { maxKeys: 2, noNullPrototype: true });
};

test('strangers neither see, change nor delete anything of a project, on any route', async () => {
  for (const caller of STRANGERS)
    for (const route of routes) {
      if (route.path.endsWith('}') || route.path.includes('{')) {
        const answer = await send(caller, route, {});
        if (route.method !== 'GET')
          expect(answer.status, `${caller}: ${route.method} ${route.path}`).toBeGreaterThanOrEqual(400);
      } else if (route.method === 'GET') await send(caller, route, {});
    }
  for (const [name, id] of Object.entries(each.ids)) {
    const route = routes.find(
      ({ resource, method, path }) => resource.name === name && method === 'GET' && path.endsWith('/{id}'),
    );
    if (route) expect((await send('admin', route, {}, undefined)).status, `${name} ${id} is still there`).toBe(200);
  }
});

test('no request of any caller to any route fails, changes what it is refused, or shows what is foreign', async () => {
  const request = fc.nat(routes.length - 1).chain((nth) => {
    const route = routeAt(nth);
    return fc.record({
      nth: fc.constant(nth),
      caller: fc.constantFrom(...ALL),
      own: valuesFor(route, false),
      foreign: valuesFor(route, true),
      // Without what is required, most creates end at validation.
      complete: fc.oneof({ weight: 3, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
      id: fc.oneof(
        { weight: 5, arbitrary: fc.constant(undefined) },
        { weight: 1, arbitrary: fc.constantFrom(...NASTY_TEXTS.filter((t) => t !== '' && !/^\.+$/.test(t))) },
      ),
    });
  });
  await fc.assert(
    fc.asyncProperty(request, async ({ nth, caller, own, foreign, complete, id }) => {
      const route = routeAt(nth);
      const trusted = !STRANGERS.includes(caller);
      // What is asked about must stay: only strangers try to delete it.
      if (trusted && (route.method === 'DELETE' || /remove|rbac/.test(route.path))) return;
      const sample = complete
        ? each.samples.find(({ name }) => name === route.resource.name && route.method === 'POST')?.values
        : {};
      await send(caller, route, { ...sample, ...(trusted ? own : foreign) }, id);
    }),
    { numRuns: inject('database') === 'mariadb' ? 1000 : 6000 },
  );
});
