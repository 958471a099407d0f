import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CallersApi, openCallersApi } from '../../support/callers.ts';

let api: CallersApi;
beforeEach(async () => {
  api = await openCallersApi();
});
afterEach(() => api.close());

const get = (project = 'p1', caller = 'p1', query = '') =>
  api.ask('GET', `/auto-allocated-topology/${project}${query}`, undefined, caller);
const remove = (project = 'p1', caller = 'p1') =>
  api.ask('DELETE', `/auto-allocated-topology/${project}`, undefined, caller);
const count = async (path: string) => Object.values((await api.ask('GET', path)).json as object)[0].length as number;
/** Networks, subnets, routers and ports of p1. */
const counts = async () => {
  const paths = ['/networks', '/subnets', '/routers', '/ports'].map((path) => `${path}?project_id=p1`);
  return Promise.all(paths.map(count));
};

async function deploy(): Promise<string> {
  const { id } = await api.create('/networks', 'network', {
    'router:external': true,
    is_default: true,
    project_id: 'p0',
  });
  const outside = { network_id: id, project_id: 'p0', enable_dhcp: false };
  await api.create('/subnets', 'subnet', { ...outside, ip_version: 4, cidr: '203.0.113.0/28' });
  for (const [version, prefix, length] of [
    [4, '10.0.0.0/16', 24],
    [6, 'fd00::/48', 64],
  ])
    await api.create('/subnetpools', 'subnetpool', {
      name: `v${version}`,
      prefixes: [prefix],
      default_prefixlen: length,
      is_default: true,
      shared: true,
      project_id: 'p0',
    });
  return id;
}

describe('an auto-allocated topology', () => {
  it('needs a default external network and a default subnet pool', async () => {
    expect(await get('p1', 'p1', '?fields=dry-run')).toMatchObject({ status: 409, type: 'AutoAllocationFailure' });
    expect((await get()).type).toBe('AutoAllocationFailure');
    await api.create('/networks', 'network', { 'router:external': true, is_default: true, project_id: 'p0' });
    expect((await get('p1', 'p1', '?fields=dry-run')).json.NeutronError.message).toMatch(/no default subnet pool/);
    expect((await get()).json.NeutronError.message).toMatch(/the network of the project cannot be made/);
    expect(await counts()).toEqual([0, 0, 0, 0]);
  });

  it('is built by the first request, and the same for the next ones', async () => {
    const external = await deploy();
    const passed = { id: 'dry-run=pass', tenant_id: 'p1', project_id: 'p1' };
    expect((await get('None', 'p1', '?fields=dry-run')).json.auto_allocated_topology).toEqual(passed);
    expect(await counts()).toEqual([0, 0, 0, 0]);
    const answers = await Promise.all([get(), get('None'), get('p1', 'admin')]);
    const [{ json }] = answers;
    const { id } = json.auto_allocated_topology;
    for (const answer of answers)
      expect(answer.json).toEqual({ auto_allocated_topology: { id, tenant_id: 'p1', project_id: 'p1' } });
    expect((await counts()).slice(0, 3)).toEqual([1, 2, 1]);
    expect((await api.ask('GET', `/networks/${id}`)).json.network).toMatchObject({
      name: 'auto_allocated_network',
      admin_state_up: true,
      project_id: 'p1',
    });
    const { json: routers } = await api.ask('GET', '/routers', undefined, 'p1');
    expect(routers.routers).toMatchObject([
      { name: 'auto_allocated_router', external_gateway_info: { network_id: external } },
    ]);
    const { json: subnets } = await api.ask('GET', '/subnets?sort_key=name&sort_dir=asc', undefined, 'p1');
    expect(subnets.subnets.map(({ name }: { name: string }) => name)).toEqual([
      'auto_allocated_subnet_v4',
      'auto_allocated_subnet_v6',
    ]);
  });

  it('is deleted with all its parts, unless a port uses it', async () => {
    await deploy();
    const { id } = (await get()).json.auto_allocated_topology;
    const port = await api.create('/ports', 'port', { network_id: id }, 'p1');
    expect((await remove()).type).toBe('NetworkInUse');
    expect((await counts()).slice(0, 3)).toEqual([1, 2, 1]);
    await api.ask('DELETE', `/ports/${port.id}`, undefined, 'p1');
    expect((await remove('None')).status).toBe(204);
    expect(await counts()).toEqual([0, 0, 0, 0]);
    expect((await remove()).status).toBe(204);
  });

  it('belongs to its project, whose members build and delete it', async () => {
    await deploy();
    expect(await get('p1', 'p2')).toMatchObject({ status: 403, type: 'NotAuthorized' });
    expect((await remove('p1', 'p2')).type).toBe('NotAuthorized');
    expect((await get('p1', 'p1:reader', '?fields=dry-run')).status).toBe(200);
    expect((await get('p1', 'p1:reader')).type).toBe('PolicyNotAuthorized');
    expect((await get()).status).toBe(200);
    expect((await get('p1', 'p1:reader')).status).toBe(200);
    expect((await remove('p1', 'p1:reader')).type).toBe('PolicyNotAuthorized');
    expect((await get('p1', 'p1', '?fields=id')).type).toBe('BadRequest');
  });

  it('has one default external network', async () => {
    const first = await deploy();
    const body = { network: { 'router:external': true, is_default: true } };
    expect((await api.ask('POST', '/networks', body)).type).toBe('DefaultExternalNetworkExists');
    const other = await api.create('/networks', 'network', { 'router:external': true });
    const put = (id: string, network: object) => api.ask('PUT', `/networks/${id}`, { network });
    expect((await put(other.id, { is_default: true })).type).toBe('DefaultExternalNetworkExists');
    await put(first, { is_default: false });
    expect((await put(other.id, { is_default: true })).json.network.is_default).toBe(true);
    await put(other.id, { 'router:external': false });
    expect((await put(first, { is_default: true })).status).toBe(200);
  });
});
