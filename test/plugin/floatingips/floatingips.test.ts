import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FloatingWorld, openFloatingWorld } from './world.ts';

let world: FloatingWorld;
beforeEach(async () => {
  world = await openFloatingWorld();
});
afterEach(() => world.close());

const NOBODY = { port_id: null, fixed_ip_address: null, router_id: null, port_details: null, status: 'DOWN' };
const show = async (id: string) => (await world.ask('GET', `/floatingips/${id}`)).json.floatingip;
const put = (id: string, floatingip: object, caller = 'p1') =>
  world.ask('PUT', `/floatingips/${id}`, { floatingip }, caller);

describe('a floating IP', () => {
  it('has an address of the external network, held by a port of its own', async () => {
    const fip = await world.floatingIp({ description: 'd' });
    expect(fip).toMatchObject({
      ...NOBODY,
      floating_network_id: world.external,
      project_id: 'p1',
      description: 'd',
      port_forwardings: [],
      dns_name: '',
      dns_domain: '',
      qos_policy_id: null,
      tags: [],
      revision_number: 0,
    });
    expect(fip.floating_ip_address).toMatch(/^203\.0\.113\./);
    const { json } = await world.ask('GET', `/ports?device_id=${fip.id}`);
    expect(json.ports).toMatchObject([
      {
        device_owner: 'network:floatingip',
        project_id: '',
        status: 'N/A',
        fixed_ips: [{ subnet_id: world.externalSubnet, ip_address: fip.floating_ip_address }],
      },
    ]);
    const [{ id: port }] = json.ports;
    expect((await world.ask('DELETE', `/ports/${port}`)).type).toBe('ServicePortInUse');
    expect((await world.ask('PUT', `/ports/${port}`, { port: { device_id: '' } })).type).toBe('ServicePortInUse');
    expect((await world.ask('DELETE', `/floatingips/${fip.id}`, undefined, 'p1')).status).toBe(204);
    expect((await world.ask('GET', `/ports/${port}`)).status).toBe(404);
    const left = await world.core.db.kysely
      .selectFrom('standardattributes')
      .select('id')
      .where('resource_type', '=', 'floatingips')
      .execute();
    expect(left).toEqual([]);
  });

  it('is associated with the address of a port by the router that connects both', async () => {
    const port = await world.port({ name: 'web' });
    await world.notified();
    const fip = await world.floatingIp({ port_id: port.id });
    const associated = {
      port_id: port.id,
      fixed_ip_address: port.fixed_ips[0].ip_address,
      router_id: world.router,
      port_details: { name: 'web', network_id: world.network, mac_address: port.mac_address, device_owner: '' },
    };
    expect(fip).toMatchObject(associated);
    expect(await world.notified()).toEqual([world.router]);
    expect((await put(fip.id, { description: 'kept' })).json.floatingip).toMatchObject(associated);
    expect((await put(fip.id, { port_id: null })).json.floatingip).toMatchObject({ ...NOBODY, revision_number: 2 });
    expect((await put(fip.id, { port_id: port.id })).json.floatingip).toMatchObject(associated);
    // As in Neutron.
    expect((await put(fip.id, {})).json.floatingip).toMatchObject(NOBODY);
  });

  it('loses its port when the port or its address goes', async () => {
    const port = await world.port({ fixed_ips: [{ subnet_id: world.subnet }, { subnet_id: world.subnet }] });
    const [first, second] = port.fixed_ips;
    const one = await world.floatingIp({ port_id: port.id, fixed_ip_address: first.ip_address });
    const two = await world.floatingIp({ port_id: port.id, fixed_ip_address: second.ip_address });
    await world.notified();
    await world.ask('PUT', `/ports/${port.id}`, { port: { fixed_ips: [second] } }, 'p1');
    expect(await show(one.id)).toMatchObject(NOBODY);
    expect(await show(two.id)).toMatchObject({ port_id: port.id });
    expect(await world.notified()).toEqual([world.router]);
    expect((await world.ask('DELETE', `/ports/${port.id}`, undefined, 'p1')).status).toBe(204);
    expect(await show(two.id)).toMatchObject({ ...NOBODY, revision_number: 1 });
    expect(await world.notified()).toEqual([world.router]);
  });

  it('keeps the interface, the gateway and the router that it needs', async () => {
    const port = await world.port();
    const { id } = await world.floatingIp({ port_id: port.id });
    const { router, subnet, external, ask } = world;
    const remove = () => ask('PUT', `/routers/${router}/remove_router_interface`, { subnet_id: subnet }, 'p1');
    const clear = () => ask('PUT', `/routers/${router}`, { router: { external_gateway_info: null } }, 'p1');
    expect((await remove()).type).toBe('RouterInterfaceInUseByFloatingIP');
    expect((await clear()).type).toBe('RouterExternalGatewayInUseByFloatingIp');
    expect((await ask('PUT', `/networks/${external}`, { network: { 'router:external': false } })).type).toBe(
      'ExternalNetworkInUse',
    );
    await put(id, { port_id: null });
    expect((await remove()).status).toBe(200);
    expect((await clear()).status).toBe(200);
    expect((await ask('PUT', `/networks/${external}`, { network: { 'router:external': false } })).status).toBe(200);
    expect((await ask('GET', `/floatingips/${id}`)).type).toBe('FloatingIPNotFound');
    expect((await ask('GET', '/ports?device_owner=network:floatingip')).json.ports).toEqual([]);
  });

  it('goes with its network, unless a port uses it', async () => {
    const { id: external } = await world.create('/networks', 'network', { 'router:external': true });
    const outside = { network_id: external, ip_version: 4, cidr: '198.51.100.0/28' };
    await world.create('/subnets', 'subnet', outside);
    const { id } = await world.floatingIp({ floating_network_id: external });
    const used = await world.floatingIp({ port_id: (await world.port()).id });
    expect((await world.ask('DELETE', `/networks/${world.external}`)).type).toBe('NetworkInUse');
    expect(await show(used.id)).toMatchObject({ router_id: world.router });
    expect((await world.ask('DELETE', `/networks/${external}`)).status).toBe(204);
    expect((await world.ask('GET', `/floatingips/${id}`)).type).toBe('FloatingIPNotFound');
  });

  it('is the only one of a fixed IP on a network', async () => {
    const port = await world.port();
    await world.floatingIp({ port_id: port.id });
    const other = await world.floatingIp();
    expect((await put(other.id, { port_id: port.id })).type).toBe('FloatingIPPortAlreadyAssociated');
    const body = { floatingip: { floating_network_id: world.external, port_id: port.id } };
    const answers = await Promise.all([1, 2].map(() => world.ask('POST', '/floatingips', body, 'p1')));
    expect(answers.map(({ type }) => type)).toEqual(Array(2).fill('FloatingIPPortAlreadyAssociated'));
    // What was refused has left no port.
    expect((await world.ask('GET', '/ports?device_owner=network:floatingip')).json.ports).toHaveLength(2);
  });

  it('is refused where it cannot be', async () => {
    const { external, network, port, floatingIp, create, ask } = world;
    const unconnected = await create('/networks', 'network', {}, 'p1');
    await create('/subnets', 'subnet', { network_id: unconnected.id, ip_version: 4, cidr: '10.9.0.0/24' }, 'p1');
    const far = await port({ network_id: unconnected.id });
    const two = await port({ fixed_ips: [{ subnet_id: world.subnet }, { subnet_id: world.subnet }] });
    const none = await port({ fixed_ips: [] });
    const foreign = await create('/ports', 'port', { network_id: network, project_id: 'p2' });
    const empty = await create('/networks', 'network', { 'router:external': true });
    const taken = await floatingIp();
    const rows: [object, string, string?][] = [
      [{ floating_network_id: network }, 'BadRequest'],
      [{ floating_network_id: network }, 'NetworkNotFound', 'p2'],
      [{ floating_network_id: empty.id }, 'BadRequest'],
      [{ floating_network_id: external, port_id: far.id }, 'ExternalGatewayForFloatingIPNotFound'],
      [{ floating_network_id: external, port_id: two.id }, 'BadRequest'],
      [{ floating_network_id: external, port_id: none.id }, 'BadRequest'],
      [{ floating_network_id: external, port_id: far.id, fixed_ip_address: '10.9.0.1' }, 'BadRequest'],
      [{ floating_network_id: external, port_id: far.id, fixed_ip_address: '2001:db8::1' }, 'BadRequest'],
      [{ floating_network_id: external, fixed_ip_address: '10.0.0.9' }, 'BadRequest'],
      [{ floating_network_id: external, port_id: foreign.id }, 'BadRequest'],
      [{ floating_network_id: external, port_id: far.id }, 'PortNotFound', 'p2'],
      [{ floating_network_id: external, floating_ip_address: '203.0.113.9' }, 'PolicyNotAuthorized'],
      [{ floating_network_id: external, floating_ip_address: '192.0.2.1' }, 'InvalidIpForNetwork', 'admin'],
      [
        { floating_network_id: external, floating_ip_address: taken.floating_ip_address },
        'IpAddressAlreadyAllocated',
        'admin',
      ],
      [{ floating_network_id: external, subnet_id: world.subnet }, 'InvalidInput'],
      [{ floating_network_id: external, dns_name: 'web.' }, 'HTTPBadRequest'],
      [{ floating_network_id: external, qos_policy_id: world.subnet }, 'QosPolicyNotFound'],
    ];
    for (const [floatingip, type, caller = 'p1'] of rows)
      expect([floatingip, (await ask('POST', '/floatingips', { floatingip }, caller)).type]).toEqual([
        floatingip,
        type,
      ]);
    expect((await put(taken.id, { fixed_ip_address: '10.0.0.9' })).type).toBe('BadRequest');
    expect((await put(taken.id, { floating_ip_address: '203.0.113.9' })).type).toBe('HTTPBadRequest');
    expect((await put(taken.id, {}, 'p2')).type).toBe('FloatingIPNotFound');
    expect((await ask('GET', '/ports?device_owner=network:floatingip')).json.ports).toHaveLength(1);
  });

  it('ends with the addresses of its network', async () => {
    for (let left = 12; left > 0; left--) await world.floatingIp();
    const body = { floatingip: { floating_network_id: world.external } };
    expect((await world.ask('POST', '/floatingips', body, 'p1')).type).toBe('IpAddressGenerationFailure');
  });

  it('uses a QoS policy, which is then in use', async () => {
    const policy = await world.create('/qos/policies', 'policy', { shared: true });
    const { id } = await world.floatingIp({ qos_policy_id: policy.id });
    expect((await put(id, { description: 'd' })).json.floatingip.qos_policy_id).toBe(policy.id);
    expect((await world.ask('DELETE', `/qos/policies/${policy.id}`)).type).toBe('QosPolicyInUse');
    expect((await put(id, { qos_policy_id: null })).json.floatingip.qos_policy_id).toBe(null);
    expect((await world.ask('DELETE', `/qos/policies/${policy.id}`)).status).toBe(204);
  });

  it('comes from a pool, an IPv4 subnet of an external network', async () => {
    const { json } = await world.ask('GET', '/floatingip_pools', undefined, 'p2');
    expect(json.floatingip_pools).toEqual([
      {
        subnet_id: world.externalSubnet,
        subnet_name: '',
        network_id: world.external,
        cidr: '203.0.113.0/28',
        tenant_id: 'p2',
        project_id: 'p2',
      },
    ]);
    // As in Neutron, a hyphen is as good.
    expect((await world.ask('GET', '/floatingip-pools?fields=cidr', undefined, 'p2')).json.floatingip_pools).toEqual([
      { cidr: '203.0.113.0/28' },
    ]);
    expect((await world.floatingIp({ subnet_id: world.externalSubnet })).status).toBe('DOWN');
  });
});
