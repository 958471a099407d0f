import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CallersApi, openCallersApi } from '../../support/callers.ts';

let api: CallersApi;
let pool: string;
let external: string;
let network: string;
let subnet: string;
beforeEach(async () => {
  api = await openCallersApi();
  const scope = await api.create('/address-scopes', 'address_scope', { ip_version: 6, name: 's', shared: true });
  const prefixes = { prefixes: ['2001:db8::/96'], default_prefixlen: 112, shared: true };
  pool = (await api.create('/subnetpools', 'subnetpool', { name: 'p', address_scope_id: scope.id, ...prefixes })).id;
  external = (await api.create('/networks', 'network', { 'router:external': true })).id;
  await v6(external, { subnetpool_id: pool }, 'admin');
  network = (await api.create('/networks', 'network', {}, 'p1')).id;
  subnet = (await v6(network, { subnetpool_id: pool })).id;
});
afterEach(() => api.close());

const v6 = (network_id: string, values: object, caller = 'p1') =>
  api.create('/subnets', 'subnet', { network_id, ip_version: 6, ...values }, caller);
const router = (values: object = {}) =>
  api.create('/routers', 'router', { external_gateway_info: { network_id: external }, ...values }, 'p1');
const put = (id: string, changes: object) => api.ask('PUT', `/routers/${id}`, { router: changes }, 'p1');
const attach = (id: string, subnet_id: string) =>
  api.ask('PUT', `/routers/${id}/add_router_interface`, { subnet_id }, 'p1');
const port = (network_id = network) => api.create('/ports', 'port', { network_id }, 'p1');
const create = (values: object, caller = 'p1') => api.ask('POST', '/ndp_proxies', { ndp_proxy: values }, caller);

describe('enable_ndp_proxy', () => {
  it('needs a gateway with an IPv6 address, on a network with an IPv6 address scope', async () => {
    const { id, ...made } = await router({ enable_ndp_proxy: true });
    expect(made.enable_ndp_proxy).toBe(true);
    expect((await put(id, { enable_ndp_proxy: false })).json.router.enable_ndp_proxy).toBe(false);
    expect((await put(id, { enable_ndp_proxy: true })).json.router.enable_ndp_proxy).toBe(true);
    expect((await put(id, { enable_ndp_proxy: true, external_gateway_info: {} })).type).toBe('RouterGatewayNotValid');
    expect((await put(id, { external_gateway_info: {} })).json.router).not.toHaveProperty('enable_ndp_proxy');
    expect((await put(id, { enable_ndp_proxy: true })).type).toBe('RouterGatewayNotValid');
    const unscoped = (await api.create('/networks', 'network', { 'router:external': true })).id;
    await v6(unscoped, { cidr: '2001:db8:1::/112' }, 'admin');
    const info = { external_gateway_info: { network_id: unscoped } };
    expect((await put(id, { enable_ndp_proxy: true, ...info })).type).toBe('RouterGatewayNotValid');
    const body = { router: { enable_ndp_proxy: true } };
    expect((await api.ask('POST', '/routers', body, 'p1')).type).toBe('RouterGatewayNotValid');
    expect((await api.ask('POST', '/routers', { router: { ...body.router, ...info } }, 'p1')).type).toBe(
      'RouterGatewayNotValid',
    );
  });

  it('keeps the IPv6 address of the gateway', async () => {
    const outside = { network_id: external, ip_version: 4, cidr: '203.0.113.0/28', enable_dhcp: false };
    const { id: v4 } = await api.create('/subnets', 'subnet', outside);
    const { id } = await router({ enable_ndp_proxy: true });
    const change = () => {
      const gateway = { network_id: external, external_fixed_ips: [{ subnet_id: v4 }] };
      return api.ask('PUT', `/routers/${id}`, { router: { external_gateway_info: gateway } });
    };
    expect((await change()).type).toBe('RouterIPv6GatewayInUse');
    await put(id, { enable_ndp_proxy: false });
    expect((await change()).status).toBe(200);
  });

  it('can be the default where a gateway supports it', async () => {
    await api.close();
    api = await openCallersApi({ DEFAULT: { enable_ndp_proxy_by_default: true } });
    expect(await api.create('/routers', 'router', {}, 'p1')).not.toHaveProperty('enable_ndp_proxy');
  });
});

describe('an NDP proxy', () => {
  it('announces an IPv6 address of a port by its router', async () => {
    const { id: router_id } = await router({ enable_ndp_proxy: true });
    await attach(router_id, subnet);
    const { id: port_id, fixed_ips } = await port();
    const [{ ip_address }] = fixed_ips;
    const { id, ...made } = await api.create('/ndp_proxies', 'ndp_proxy', { router_id, port_id, name: 'n' }, 'p1');
    expect(made).toMatchObject({ router_id, port_id, ip_address, name: 'n', project_id: 'p1', revision_number: 0 });
    expect((await create({ router_id, port_id })).type).toBe('NeutronDbObjectDuplicateEntry');
    expect((await api.ask('GET', '/ndp_proxies', undefined, 'p2')).json.ndp_proxies).toEqual([]);
    expect((await api.ask('GET', `/ndp_proxies/${id}`, undefined, 'p2')).type).toBe('NDPProxyNotFound');
    const changed = await api.ask('PUT', `/ndp_proxies/${id}`, { ndp_proxy: { name: 'm', description: 'd' } }, 'p1');
    expect(changed.json.ndp_proxy).toMatchObject({ name: 'm', description: 'd', revision_number: 1 });
    const detach = () => api.ask('PUT', `/routers/${router_id}/remove_router_interface`, { subnet_id: subnet }, 'p1');
    expect((await detach()).type).toBe('RouterInterfaceInUseByNDPProxy');
    expect((await put(router_id, { external_gateway_info: {} })).type).toBe('RouterGatewayInUseByNDPProxy');
    expect((await api.ask('DELETE', `/ndp_proxies/${id}`, undefined, 'p1')).status).toBe(204);
    expect((await detach()).status).toBe(200);
    await attach(router_id, subnet);
    await api.create('/ndp_proxies', 'ndp_proxy', { router_id, port_id }, 'p1');
    expect((await api.ask('DELETE', `/ports/${port_id}`, undefined, 'p1')).status).toBe(204);
    expect((await api.ask('GET', '/ndp_proxies')).json.ndp_proxies).toEqual([]);
  });

  it('is refused where packets could not be routed', async () => {
    const { id: router_id } = await router();
    const { id: port_id } = await port();
    expect((await create({ router_id, port_id })).type).toBe('PortUnreachableRouter');
    await attach(router_id, subnet);
    expect((await create({ router_id, port_id })).type).toBe('RouterNDPProxyNotEnable');
    await put(router_id, { enable_ndp_proxy: true });
    expect((await create({ router_id, port_id, ip_address: '2001:db9::1' })).type).toBe('InvalidAddress');
    expect((await create({ router_id, port_id: subnet })).type).toBe('PortNotFound');
    expect((await create({ router_id: subnet, port_id })).type).toBe('RouterNotFound');
    expect((await create({ router_id, port_id }, 'p2')).type).toBe('PortNotFound');
    const other = (await api.create('/networks', 'network', {}, 'p1')).id;
    const unscoped = await v6(other, { cidr: '2001:db8:2::/112' });
    await attach(router_id, unscoped.id);
    expect((await create({ router_id, port_id: (await port(other)).id })).type).toBe('AddressScopeConflict');
    const old = (await api.create('/networks', 'network', {}, 'p1')).id;
    const v4 = await api.create('/subnets', 'subnet', { network_id: old, ip_version: 4, cidr: '10.0.0.0/24' }, 'p1');
    await attach(router_id, v4.id);
    expect((await create({ router_id, port_id: (await port(old)).id })).type).toBe('BadRequest');
  });
});
