import type { FastifyInstance } from 'fastify';
import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Caller, IdentityProvider } from '../../src/auth/contract.ts';
import { startRelay } from '../../src/notifier/relay.ts';
import type { AnyModule } from '../../src/plugin/module.ts';
import type { Quotas } from '../../src/plugin/quotas/limits.ts';
import { resourceModules } from '../../src/plugin/resources.ts';
import { neutronError } from '../../src/resources/errors.ts';
import type { RpcTransport } from '../../src/rpc/contract.ts';
import { createWorld, type World } from '../plugin/world.ts';
import { ADMIN, memberOf } from '../support/core.ts';
import { apiOf, servicesOf } from '../support/services.ts';
import { MIRROR_EVENTS, mirrorFilterModule, mirrorLimitModule, mirrorModule } from './resource.ts';

/** Two mirrors per project. */
const QUOTAS: Quotas = {
  async reserve(trx, { resource }, projectId, count) {
    if (resource.name !== 'mirror') return;
    const { rows } = await sql<{ n: number }>`select count(*) as n from mirrors
      where project_id = ${projectId}`.execute(trx);
    if (Number(rows[0]?.n) + count > 2) throw neutronError('OverQuota', { resources: "'mirror'" });
  },
};
/** A header contains the caller: `admin`, or the project of a member. */
const identity: IdentityProvider = {
  identify: ({ 'x-caller': who = 'admin' }): Caller => (who === 'admin' ? ADMIN : memberOf(String(who))),
};

let world: World;
let api: FastifyInstance;
let network: string;
beforeEach(async () => {
  world = await createWorld();
  const { kysely, dialect } = world.core.db;
  const end = dialect === 'mysql' ? sql`engine=InnoDB default charset=utf8mb4 collate=utf8mb4_bin` : sql``;
  const id = 'varchar(36)' as const;
  await kysely.schema
    .createTable('mirrors')
    .addColumn('id', id, (c) => c.primaryKey())
    .addColumn('project_id', 'varchar(255)', (c) => c.notNull())
    .addColumn('name', 'varchar(255)', (c) => c.notNull())
    .addColumn('network_id', id, (c) => c.notNull())
    .addColumn('enabled', 'integer', (c) => c.notNull())
    .addColumn('target', 'varchar(64)', (c) => c.notNull())
    .addColumn('standard_attr_id', 'bigint', (c) => c.notNull())
    .addForeignKeyConstraint('fk_mirrors_attr', ['standard_attr_id'], 'standardattributes', ['id'], (c) =>
      c.onDelete('cascade'),
    )
    .modifyEnd(end)
    .execute();
  await kysely.schema
    .createTable('mirrorfilters')
    .addColumn('id', id, (c) => c.primaryKey())
    .addColumn('mirror_id', id, (c) => c.notNull())
    .addColumn('protocol', 'varchar(8)', (c) => c.notNull())
    .addColumn('ports', 'varchar(255)', (c) => c.notNull())
    .addForeignKeyConstraint('fk_mirrorfilters_mirror', ['mirror_id'], 'mirrors', ['id'], (c) => c.onDelete('cascade'))
    .modifyEnd(end)
    .execute();
  await kysely.schema
    .createTable('mirrorlimits')
    .addColumn('id', 'varchar(255)', (c) => c.primaryKey())
    .addColumn('mirrors', 'integer', (c) => c.notNull())
    .modifyEnd(end)
    .execute();
  // This is the one line: the list of modules with two additional ones.
  const modules = [
    ...resourceModules(world.core, world.allocator),
    mirrorModule(world.core),
    mirrorFilterModule,
    mirrorLimitModule,
  ];
  api = apiOf(world.core, servicesOf(world.core, world.allocator, modules, QUOTAS), world.core.log, identity);
  network = await world.network();
});
afterEach(async () => {
  await api.close();
  await world.close();
});

type Json = Record<string, unknown>;
async function ask(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: object, caller = 'admin') {
  const reply = await api.inject({
    method,
    url: `/v2.0${path}`,
    headers: { 'x-caller': caller },
    ...(body === undefined ? {} : { payload: JSON.stringify(body) }),
  });
  const json = ((reply.body === '' ? null : reply.json()) ?? {}) as Json;
  return { status: reply.statusCode, json, type: (json.NeutronError as Json | undefined)?.type };
}
async function mirror(values: object = {}, caller = 'admin'): Promise<Json & { id: string }> {
  const { status, json } = await ask('POST', '/mirrors', { mirror: { network_id: network, ...values } }, caller);
  expect(status, JSON.stringify(json)).toBe(201);
  return json.mirror as Json & { id: string };
}
const names = async (query: string, caller?: string) =>
  ((await ask('GET', `/mirrors${query}`, undefined, caller)).json.mirrors as Json[]).map((m) => m.name);

describe('a resource that is one declaration, its rules and one line', () => {
  test('is created, shown, changed and deleted, with all its attributes', async () => {
    const made = await mirror({ name: 'm1', target: 'h1', description: 'd' });
    expect(made).toMatchObject({ name: 'm1', enabled: true, target: 'h1', description: 'd', filters: [], tags: [] });
    expect(made).toMatchObject({ filtered: false, revision_number: 0, project_id: 'p1', tenant_id: 'p1' });
    const at = `/mirrors/${made.id}`;
    expect((await ask('GET', at)).json.mirror).toEqual(made);
    expect((await ask('PUT', at, { mirror: { enabled: false } })).json.mirror).toMatchObject({
      enabled: false,
      revision_number: 1,
    });
    expect((await ask('DELETE', at)).status).toBe(204);
    expect((await ask('GET', at)).status).toBe(404);
  });

  test('is checked against its declaration', async () => {
    for (const values of [{}, { network_id: 'x' }, { network_id: network, nope: 1 }, { network_id: network, id: 'x' }])
      expect((await ask('POST', '/mirrors', { mirror: values })).status).toBe(400);
    const { id } = await mirror();
    expect((await ask('PUT', `/mirrors/${id}`, { mirror: { network_id: network } })).status).toBe(400);
  });

  test('is listed with filters, fields, sorting and pages', async () => {
    await mirror({ name: 'b', enabled: false }, 'p1');
    await mirror({ name: 'a' }, 'p1');
    await mirror({ name: 'c' }, 'p2');
    expect(await names('?enabled=true&sort_key=name&sort_dir=asc')).toEqual(['a', 'c']);
    expect(await names('?sort_key=name&sort_dir=desc')).toEqual(['c', 'b', 'a']);
    expect(await names('?filtered=true')).toEqual([]);
    expect((await ask('GET', '/mirrors?fields=name&name=a')).json.mirrors).toEqual([{ name: 'a' }]);
    const page = (await ask('GET', '/mirrors?limit=2&sort_key=name&sort_dir=asc')).json;
    expect((page.mirrors as Json[]).map((m) => m.name)).toEqual(['a', 'b']);
    expect(page.mirrors_links).toMatchObject([{ rel: 'next' }, { rel: 'previous' }]);
    expect((await ask('GET', '/mirrors?nope=1')).type).toBe('HTTPBadRequest');
  });

  test('has children below its path, which its own document lists', async () => {
    const { id } = await mirror();
    const at = `/mirrors/${id}/filters`;
    const made = await ask('POST', at, { mirror_filter: { protocol: 'tcp', ports: ['80'] } });
    expect(made).toMatchObject({ status: 201, json: { mirror_filter: { protocol: 'tcp', ports: ['80'] } } });
    const filter = made.json.mirror_filter as Json;
    expect(filter).not.toHaveProperty('mirror_id');
    expect((await ask('GET', at)).json).toEqual({ filters: [filter] });
    expect((await ask('GET', `${at}/${filter.id}`)).json).toEqual({ mirror_filter: filter });
    expect((await ask('GET', `/mirrors/${id}`)).json.mirror).toMatchObject({ filters: [filter], filtered: true });
    expect(await names('?filtered=true')).toHaveLength(1);
    expect((await ask('POST', at, { mirror_filter: { protocol: 'tcp', mirror_id: id } })).status).toBe(400);
    const other = await mirror();
    expect((await ask('GET', `/mirrors/${other.id}/filters/${filter.id}`)).status).toBe(404);
    expect((await ask('DELETE', `/mirrors/${other.id}/filters/${filter.id}`)).status).toBe(404);
    expect((await ask('DELETE', `${at}/${filter.id}`)).status).toBe(204);
    expect((await ask('GET', at)).json).toEqual({ filters: [] });
  });

  test('has an action, whose body is checked', async () => {
    const { id } = await mirror();
    const restart = (body: object, of = id) => ask('PUT', `/mirrors/${of}/restart`, body);
    expect(await restart({ reason: 'tired' })).toMatchObject({ status: 200, json: { reason: 'tired' } });
    expect((await restart({})).json).toEqual({ reason: '' });
    expect((await restart({ reason: 1 })).status).toBe(400);
    expect((await restart({ nope: 1 })).status).toBe(400);
    expect((await ask('POST', `/mirrors/${id}/restart`, {})).status).toBe(405);
  });

  test('has tags, which filter its lists', async () => {
    const { id } = await mirror({ name: 'tagged' });
    await mirror({ name: 'plain' });
    expect((await ask('PUT', `/mirrors/${id}/tags/red`)).status).toBe(201);
    expect((await ask('GET', `/mirrors/${id}/tags`)).json).toEqual({ tags: ['red'] });
    expect(await names('?tags=red')).toEqual(['tagged']);
    expect(await names('?not-tags=red')).toEqual(['plain']);
  });

  test('counts against a quota, in the transaction of the create', async () => {
    await mirror();
    const two = { mirrors: [{ network_id: network }, { network_id: network }] };
    expect(await ask('POST', '/mirrors', two)).toMatchObject({ status: 409, type: 'OverQuota' });
    expect(await names('')).toHaveLength(1);
    await mirror();
    expect((await ask('POST', '/mirrors', { mirror: { network_id: network } })).type).toBe('OverQuota');
  });

  test('has a singleton for each project, stored or not', async () => {
    const at = '/mirror-limits/p1';
    expect((await ask('GET', at)).json).toEqual({ mirror_limit: { project_id: 'p1', mirrors: 2 } });
    expect((await ask('GET', at, undefined, 'p1')).status).toBe(200);
    expect((await ask('GET', at, undefined, 'p2')).status).toBe(403);
    expect((await ask('GET', '/mirror-limits')).json).toEqual({ mirror_limits: [] });
    const changed = { mirror_limit: { project_id: 'p1', mirrors: 7 } };
    expect((await ask('PUT', at, { mirror_limit: { mirrors: 7 } })).json).toEqual(changed);
    expect((await ask('PUT', at, { mirror_limit: { mirrors: 7 } }, 'p1')).status).toBe(403);
    expect((await ask('GET', at)).json).toEqual(changed);
    expect((await ask('GET', '/mirror-limits')).json.mirror_limits).toHaveLength(1);
    expect((await ask('DELETE', at)).status).toBe(204);
    expect((await ask('GET', at)).json.mirror_limit).toMatchObject({ mirrors: 2 });
    expect((await ask('POST', '/mirror-limits', { mirror_limit: {} })).status).toBe(400);
  });

  test('is visible and changeable according to its policies', async () => {
    const own = await mirror({ name: 'own' }, 'p1');
    expect(own).not.toHaveProperty('target');
    const at = `/mirrors/${own.id}`;
    expect((await ask('GET', at, undefined, 'p1')).json.mirror).not.toHaveProperty('target');
    expect((await ask('GET', at)).json.mirror).toHaveProperty('target');
    expect(await names('', 'p2')).toEqual([]);
    for (const method of ['GET', 'DELETE'] as const)
      expect((await ask(method, at, undefined, 'p2')).status, method).toBe(404);
    expect((await ask('PUT', at, { mirror: { name: 'x' } }, 'p2')).status).toBe(404);
    expect((await ask('GET', `${at}/filters`, undefined, 'p2')).status).toBe(404);
    expect((await ask('PUT', `${at}/restart`, {}, 'p2')).status).toBe(404);
    expect((await ask('PUT', `${at}/restart`, {}, 'p1')).status).toBe(200);
    expect((await ask('PUT', `${at}/tags/x`, undefined, 'p2')).type).toBe('TagResourceNotFound');
    expect((await ask('PUT', `${at}/tags/x`, undefined, 'p1')).status).toBe(201);
    expect((await ask('PUT', at, { mirror: { name: 'x' } }, 'p1')).status).toBe(200);
    for (const refused of [
      await ask('PUT', at, { mirror: { target: 'h' } }, 'p1'),
      await ask('POST', '/mirrors', { mirror: { network_id: network, target: 'h' } }, 'p1'),
      await ask('DELETE', at, undefined, 'p1'),
    ])
      expect(refused).toMatchObject({ status: 403, type: 'PolicyNotAuthorized' });
    const foreign = { mirror: { network_id: network, project_id: 'p2' } };
    expect(await ask('POST', '/mirrors', foreign, 'p1')).toMatchObject({ status: 400, type: 'HTTPBadRequest' });
  });

  test('notifies agents only of relevant changes', async () => {
    const { id } = await mirror({ name: 'm' });
    await world.outbox();
    await ask('PUT', `/mirrors/${id}`, { mirror: { name: 'renamed' } });
    expect(await world.outbox()).toEqual([]);
    await ask('PUT', `/mirrors/${id}`, { mirror: { enabled: false } });
    const casts: unknown[] = [];
    const { promise: sent, resolve } = Promise.withResolvers<void>();
    const transport = {
      async cast(target: unknown, method: string, args: unknown) {
        casts.push({ target, method, args });
        resolve();
      },
    } as unknown as RpcTransport;
    const relay = startRelay({ core: world.core, transport, events: MIRROR_EVENTS });
    await sent;
    await relay.close();
    expect(casts).toMatchObject([
      {
        target: { topic: 'q-agent-notifier-mirror-update', fanout: true },
        method: 'mirror_update',
        args: { mirror: { id, enabled: false } },
      },
    ]);
  });

  test('appears in OpenAPI and in the list of extensions', async () => {
    const { json } = await ask('GET', '/openapi.json');
    const paths = json.paths as Record<string, object>;
    const methods = (path: string) => Object.keys(paths[`/v2.0${path}`] ?? {}).filter((key) => key !== 'parameters');
    expect(methods('/mirrors')).toEqual(['get', 'post']);
    expect(methods('/mirrors/{id}')).toEqual(['get', 'put', 'delete']);
    expect(methods('/mirrors/{id}/restart')).toEqual(['put']);
    expect(methods('/mirrors/{id}/tags/{tag}')).toEqual(['get', 'put', 'delete']);
    expect(methods('/mirrors/{mirror_id}/filters')).toEqual(['get', 'post']);
    expect(methods('/mirrors/{mirror_id}/filters/{id}')).toEqual(['get', 'delete']);
    const { schemas } = json.components as { schemas: Record<string, { properties?: object }> };
    expect(Object.keys(schemas.Mirror?.properties ?? {})).toContain('filters');
    expect(schemas).toHaveProperty('MirrorFilterCreate');
    expect((await ask('GET', '/extensions/mirror')).json).toMatchObject({ extension: { alias: 'mirror' } });
    expect((await ask('GET', '/')).json.resources).toContainEqual(expect.objectContaining({ collection: 'mirrors' }));
  });

  test('is rejected at startup if its rules and its declaration differ', () => {
    const serve = (module: AnyModule) => servicesOf(world.core, world.allocator, [module]);
    const { create: _create, ...withoutRule } = mirrorModule(world.core);
    expect(() => serve(withoutRule)).toThrow('mirror: create must be both in the declaration and in the module');
    expect(() => serve({ ...mirrorModule(world.core), actions: {} })).toThrow('mirror: restart must be both');
    expect(() => serve({ ...mirrorFilterModule, update: async () => ({}) })).toThrow('mirror_filter: update must be');
  });
});
