import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FloatingWorld, openFloatingWorld } from './world.ts';

let world: FloatingWorld;
// biome-ignore lint/suspicious/noExplicitAny: tests read documents of any shape
let port: any;
// biome-ignore lint/suspicious/noExplicitAny: as above
let fip: any;
beforeEach(async () => {
  world = await openFloatingWorld();
  port = await world.port();
  fip = await world.floatingIp();
});
afterEach(() => world.close());

const path = (id = '') => `/floatingips/${fip.id}/port_forwardings${id === '' ? '' : `/${id}`}`;
const values = (changes: object = {}) => ({
  protocol: 'tcp',
  external_port: 2222,
  internal_port: 22,
  internal_port_id: port.id,
  internal_ip_address: port.fixed_ips[0].ip_address,
  ...changes,
});
const create = (changes: object = {}) => world.create(path(), 'port_forwarding', values(changes), 'p1');
const refused = async (changes: object, caller = 'p1') =>
  (await world.ask('POST', path(), { port_forwarding: values(changes) }, caller)).type;
const put = (id: string, changes: object) => world.ask('PUT', path(id), { port_forwarding: changes }, 'p1');
const show = async () => (await world.ask('GET', `/floatingips/${fip.id}`)).json.floatingip;

describe('a port forwarding', () => {
  it('leads from a port of a floating IP to one of a fixed IP', async () => {
    await world.notified();
    const made = await create({ description: 'ssh' });
    const document = {
      id: made.id,
      protocol: 'tcp',
      external_port: 2222,
      external_port_range: '2222:2222',
      internal_port: 22,
      internal_port_range: '22:22',
      internal_port_id: port.id,
      internal_ip_address: port.fixed_ips[0].ip_address,
      description: 'ssh',
    };
    expect(made).toEqual(document);
    expect(await world.notified()).toEqual([world.router]);
    expect(await show()).toMatchObject({
      router_id: world.router,
      port_id: null,
      revision_number: 1,
      port_forwardings: [
        {
          id: made.id,
          protocol: 'tcp',
          external_port: 2222,
          internal_port: 22,
          internal_port_id: port.id,
          internal_ip_address: port.fixed_ips[0].ip_address,
        },
      ],
    });
    const changed = { ...document, internal_port: 80, internal_port_range: '80:80', description: '' };
    expect((await put(made.id, { internal_port: 80, description: '' })).json.port_forwarding).toEqual(changed);
    expect((await world.ask('GET', `${path()}?external_port=2222`, undefined, 'p1')).json.port_forwardings).toEqual([
      changed,
    ]);
    expect((await world.ask('GET', `${path()}?external_port=1`, undefined, 'p1')).json.port_forwardings).toEqual([]);
    expect((await world.ask('GET', `${path()}?internal_port=80`, undefined, 'p1')).status).toBe(400);
    expect((await world.ask('DELETE', path(made.id), undefined, 'p1')).status).toBe(204);
    expect((await world.ask('GET', path(made.id), undefined, 'p1')).type).toBe('PortForwardingNotFound');
    expect(await show()).toMatchObject({ router_id: null, port_forwardings: [] });
  });

  it('has ranges: as many internal ports as external ones, or a single one', async () => {
    const range = { external_port: null, internal_port: null };
    const made = await create({ ...range, external_port_range: '100:109', internal_port_range: '200:209' });
    expect(made).toMatchObject({ ...range, external_port_range: '100:109', internal_port_range: '200:209' });
    expect(await create({ ...range, external_port_range: '1:9', internal_port_range: '5' })).toMatchObject({
      internal_port: 5,
      internal_port_range: '5:5',
    });
    expect((await show()).port_forwardings.map((one: object) => 'external_port' in one)).toEqual([false, false]);
    for (const [ranges, type] of [
      [{ external_port_range: '300:309', internal_port_range: '300:301' }, 'BadRequest'],
      [{ external_port_range: '109:120', internal_port_range: '300:311' }, 'BadRequest'],
      [{ external_port_range: '300:309', internal_port_range: '209:218' }, 'BadRequest'],
      [{ external_port_range: '300:309', internal_port_range: '309:300' }, 'HTTPBadRequest'],
      [{ external_port_range: '0:9', internal_port_range: '300:309' }, 'HTTPBadRequest'],
      [{ external_port_range: '65530:65536', internal_port_range: '300:306' }, 'HTTPBadRequest'],
      [{ external_port_range: '1:2:3', internal_port_range: '1' }, 'HTTPBadRequest'],
      [{ external_port_range: '300' }, 'BadRequest'],
      [{ external_port: 300, external_port_range: '301', internal_port: 1 }, 'BadRequest'],
    ] as const)
      expect([ranges, await refused({ ...range, ...ranges })]).toEqual([ranges, type]);
  });

  it('is refused where it would collide or cannot work', async () => {
    const other = await world.port();
    const associated = await world.port();
    const direct = await world.floatingIp({ port_id: associated.id });
    const unconnected = await world.create('/networks', 'network', {}, 'p1');
    const cidr = { network_id: unconnected.id, ip_version: 4, cidr: '10.9.0.0/24' };
    await world.create('/subnets', 'subnet', cidr, 'p1');
    const far = await world.port({ network_id: unconnected.id });
    const to = (target: typeof port) => ({
      internal_port_id: target.id,
      internal_ip_address: target.fixed_ips[0].ip_address,
    });
    await create();
    for (const [changes, type] of [
      [{ ...to(other) }, 'BadRequest'],
      [{ external_port: 3333 }, 'BadRequest'],
      [{ ...to(far), external_port: 1 }, 'BadRequest'],
      [{ external_port: 1, internal_ip_address: '10.0.0.1' }, 'BadRequest'],
      [{ external_port: 1, internal_ip_address: '2001:db8::1' }, 'BadRequest'],
      [{ ...to(associated), external_port: 1 }, 'PortHasBindingFloatingIP'],
      [{ external_port: 1, internal_port_id: world.subnet }, 'PortNotFound'],
      [{ external_port: 0 }, 'HTTPBadRequest'],
      [{ external_port: 65536 }, 'HTTPBadRequest'],
      [{ external_port: 1, protocol: 'gre' }, 'HTTPBadRequest'],
    ] as const)
      expect([changes, await refused(changes)]).toEqual([changes, type]);
    expect(await refused({}, 'p2')).toBe('FloatingIPNotFound');
    // The same ports of another protocol are others.
    const udp = await create({ protocol: 'udp' });
    expect((await put(udp.id, { protocol: 'tcp' })).type).toBe('BadRequest');
    expect((await put(udp.id, { internal_ip_address: '10.0.0.1' })).type).toBe('BadRequest');
    expect((await put(udp.id, to(far))).type).toBe('BadRequest');
    expect((await put(udp.id, to(other))).json.port_forwarding).toMatchObject(to(other));
    fip = direct;
    expect(await refused({ internal_port: 99 })).toBe('FloatingIPPortAlreadyAssociated');
  });

  it('keeps its floating IP and the interface of its router', async () => {
    const { id } = await create();
    const { router, subnet, ask } = world;
    expect((await ask('DELETE', `/floatingips/${fip.id}`, undefined, 'p1')).type).toBe('FipInUseByPortForwarding');
    const associate = { floatingip: { port_id: port.id } };
    expect((await ask('PUT', `/floatingips/${fip.id}`, associate, 'p1')).type).toBe('FipInUseByPortForwarding');
    expect((await ask('PUT', `/routers/${router}/remove_router_interface`, { subnet_id: subnet }, 'p1')).type).toBe(
      'RouterInterfaceInUseByFloatingIP',
    );
    expect((await ask('PUT', `/routers/${router}`, { router: { external_gateway_info: {} } }, 'p1')).type).toBe(
      'RouterExternalGatewayInUseByFloatingIp',
    );
    expect((await ask('DELETE', path(id), undefined, 'p1')).status).toBe(204);
    expect((await ask('PUT', `/routers/${router}/remove_router_interface`, { subnet_id: subnet }, 'p1')).status).toBe(
      200,
    );
    expect((await ask('DELETE', `/floatingips/${fip.id}`, undefined, 'p1')).status).toBe(204);
  });

  it('goes with its internal port, or the address', async () => {
    const two = await world.port({ fixed_ips: [{ subnet_id: world.subnet }, { subnet_id: world.subnet }] });
    const [first, second] = two.fixed_ips;
    await create({ internal_port_id: two.id, internal_ip_address: first.ip_address });
    await create({ internal_port_id: two.id, internal_ip_address: second.ip_address, external_port: 1 });
    await world.notified();
    await world.ask('PUT', `/ports/${two.id}`, { port: { fixed_ips: [second] } }, 'p1');
    expect((await show()).port_forwardings).toMatchObject([{ internal_ip_address: second.ip_address }]);
    expect(await world.notified()).toEqual([world.router]);
    await world.ask('DELETE', `/ports/${two.id}`, undefined, 'p1');
    expect(await show()).toMatchObject({ router_id: null, port_forwardings: [] });
    const left = world.core.db.kysely
      .selectFrom('standardattributes')
      .select('id')
      .where('resource_type', '=', 'portforwardings');
    expect(await left.execute()).toEqual([]);
  });
});
