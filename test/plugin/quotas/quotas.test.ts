import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ConfiguredQuotas } from '../../../src/plugin/quotas/limits.ts';
import type { Service } from '../../../src/plugin/service.ts';
import { ADMIN, memberOf, openCore, type TestCore } from '../../support/core.ts';
import { apiOf, servicesOf, type TestServices } from '../../support/services.ts';

let core: TestCore;
let services: TestServices;
let api: FastifyInstance;
beforeEach(async () => {
  core = await openCore({ quotas: { quota_network: 100, quota_port: 500, quota_rbac_policy: 10, default_quota: -1 } });
  services = servicesOf(core, undefined, undefined, new ConfiguredQuotas(core));
  api = apiOf(core, services, core.log, {
    identify: ({ 'x-caller': who = 'admin' }) => (who === 'admin' ? ADMIN : memberOf(String(who))),
  });
});
afterEach(async () => {
  await api.close();
  await core.dispose();
});

const ask = async (method: 'GET' | 'PUT' | 'POST' | 'DELETE', path: string, body?: object, caller = 'admin') => {
  const reply = await api.inject({
    method,
    url: `/v2.0/quotas${path}`,
    headers: { 'x-caller': caller },
    ...(body ? { payload: body } : {}),
  });
  const json = reply.body === '' ? {} : reply.json();
  return { status: reply.statusCode, type: json.NeutronError?.type, body: json };
};
const set = (project: string, quota: object, caller = 'admin') => ask('PUT', `/${project}`, { quota }, caller);
const make = async (service: Service, count: number, values: object = {}, caller = memberOf('p1')) =>
  Promise.allSettled(Array.from({ length: count }, () => service.create(caller, [{ name: 'n', ...values }])));
const created = (results: readonly PromiseSettledResult<unknown>[]) =>
  results.filter(({ status }) => status === 'fulfilled').length;
const refusals = (results: readonly PromiseSettledResult<unknown>[]) => [
  ...new Set(results.flatMap((r) => (r.status === 'rejected' ? [(r.reason as { type: string }).type] : []))),
];

describe('quotas', () => {
  test('have a limit for each declaration that is counted, from [quotas]', async () => {
    const counted = services.all.filter(({ resource }) => resource.quota).map(({ resource }) => resource.name);
    const { status, body } = await ask('GET', '/p1');
    expect(status).toBe(200);
    expect(Object.keys(body.quota).sort()).toEqual(counted.sort());
    expect(body.quota).toMatchObject({ network: 100, port: 500, rbac_policy: 10, subnetpool: -1, trunk: -1 });
  });

  test('are set, listed and reset for a project; the defaults stay', async () => {
    expect((await ask('GET', '')).body).toEqual({ quotas: [] });
    const changed = await set('p1', { network: 1, port: '7', subnet: -1 });
    expect(changed.body.quota).toMatchObject({ network: 1, port: 7, subnet: -1, rbac_policy: 10 });
    expect(await ask('GET', '/p1')).toMatchObject({ body: { quota: { network: 1, port: 7 } } });
    expect((await ask('GET', '')).body.quotas).toMatchObject([{ project_id: 'p1', tenant_id: 'p1', network: 1 }]);
    expect((await ask('GET', '/p1/default')).body.quota).toMatchObject({ network: 100, port: 500 });
    expect((await ask('DELETE', '/p1')).status).toBe(204);
    expect(await ask('DELETE', '/p1')).toMatchObject({ status: 404, type: 'TenantQuotaNotFound' });
    expect((await ask('GET', '/p1')).body.quota.network).toBe(100);
  });

  test('show what is used', async () => {
    await make(services.of('network'), 2);
    const { quota } = (await ask('GET', '/p1/details.json')).body;
    expect(quota).toMatchObject({
      network: { limit: 100, used: 2, reserved: 0 },
      port: { limit: 500, used: 0, reserved: 0 },
    });
    const [network] = await services.of('network').create(memberOf('p1'), [{}]);
    const entry = { object_type: 'network', object_id: network?.id, action: 'access_as_shared', target_tenant: 'p2' };
    await services.of('rbac_policy').create(memberOf('p1'), [entry]);
    expect((await ask('GET', '/p1/details')).body.quota.rbac_policy).toMatchObject({ used: 1 });
  });

  test.each([
    [{ network: -2 }, 'HTTPBadRequest'],
    [{ network: 2 ** 31 }, 'HTTPBadRequest'],
    [{ network: 'many' }, 'InvalidInput'],
    [{ network: 1.5 }, 'InvalidInput'],
    [{ network: null }, 'InvalidInput'],
    [{ nope: 1 }, 'HTTPBadRequest'],
    [{ project_id: 'p2' }, 'HTTPBadRequest'],
  ])('refuse %j', async (quota, type) => {
    expect(await set('p1', quota)).toMatchObject({ status: 400, type });
    expect((await ask('GET', '')).body).toEqual({ quotas: [] });
  });

  test('refuse what is no project, and POST', async () => {
    expect((await set('x'.repeat(256), { network: 1 })).status).toBe(400);
    expect((await ask('PUT', '/p1')).status).toBe(400);
    expect(await ask('POST', '', { quota: {} })).toMatchObject({ status: 501, type: 'HTTPNotImplemented' });
  });

  test('may be set below what is used, unless the request asks to check', async () => {
    await make(services.of('network'), 3);
    expect(await set('p1', { network: 2, check_limit: true })).toMatchObject({ status: 400, type: 'HTTPBadRequest' });
    expect((await set('p1', { network: 3, check_limit: true })).status).toBe(200);
    expect((await set('p1', { network: -1, check_limit: true })).status).toBe(200);
    expect((await set('p1', { network: 1 })).status).toBe(200);
    expect(refusals(await make(services.of('network'), 1))).toEqual(['OverQuota']);
  });

  test('of the own project are read by everybody, those of others and all changes need an administrator', async () => {
    for (const path of ['/p1', '/p1/default', '/p1/details'])
      expect((await ask('GET', path, undefined, 'p1')).status).toBe(200);
    expect(await ask('GET', '/p2', undefined, 'p1')).toMatchObject({ status: 403, type: 'PolicyNotAuthorized' });
    expect(await ask('GET', '/p2/default', undefined, 'p1')).toMatchObject({ status: 403 });
    expect(await ask('GET', '/p2/details', undefined, 'p1')).toMatchObject({ status: 403, type: 'AdminRequired' });
    expect(await ask('GET', '', undefined, 'p1')).toMatchObject({ status: 403, type: 'PolicyNotAuthorized' });
    expect(await set('p1', { network: -1 }, 'p1')).toMatchObject({ status: 403, type: 'PolicyNotAuthorized' });
    expect(await ask('DELETE', '/p1', undefined, 'p1')).toMatchObject({ status: 403 });
  });

  test('say for whom a request is', async () => {
    expect((await ask('GET', '/tenant', undefined, 'p2')).body).toEqual({ tenant: { tenant_id: 'p2' } });
    expect((await ask('GET', '/project', undefined, 'p2')).body).toEqual({ project: { project_id: 'p2' } });
  });
});

describe('a limit', () => {
  test('is exact, however many create at once', async () => {
    await set('p1', { network: 7, port: 5, rbac_policy: 3 });
    const networks = await make(services.of('network'), 20);
    expect([created(networks), refusals(networks)]).toEqual([7, ['OverQuota']]);
    const [network] = await services.of('network').create(memberOf('p2'), [{}]);
    await services
      .of('rbac_policy')
      .create(memberOf('p2'), [
        { object_type: 'network', object_id: network?.id, action: 'access_as_shared', target_tenant: 'p1' },
      ]);
    const ports = await make(services.of('port'), 20, { network_id: network?.id });
    expect([created(ports), refusals(ports)]).toEqual([5, ['OverQuota']]);
    const own = networks.flatMap((r) => (r.status === 'fulfilled' ? r.value : []))[0];
    const entry = { object_type: 'network', object_id: own?.id, action: 'access_as_shared' };
    const results = await Promise.allSettled(
      Array.from({ length: 10 }, (_, i) =>
        services.of('rbac_policy').create(memberOf('p1'), [{ ...entry, target_tenant: `project-${i}` }]),
      ),
    );
    expect([created(results), refusals(results)]).toEqual([3, ['OverQuota']]);
  });

  test('holds for bulk requests as a whole, for other projects than the caller, and is freed by deletions', async () => {
    await set('p2', { network: 2 });
    const bulk = (count: number) =>
      services.of('network').create(
        ADMIN,
        Array.from({ length: count }, () => ({ project_id: 'p2' })),
      );
    await expect(bulk(3)).rejects.toMatchObject({ type: 'OverQuota', status: 409 });
    const [first] = await bulk(2);
    await expect(bulk(1)).rejects.toMatchObject({ type: 'OverQuota' });
    await services.of('network').delete(ADMIN, String(first?.id));
    await bulk(1);
    await services.of('network').create(ADMIN, [{}]);
  });

  test('of zero allows nothing', async () => {
    await set('p1', { network: 0 });
    expect(refusals(await make(services.of('network'), 1))).toEqual(['OverQuota']);
  });
});
