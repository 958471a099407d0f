import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FloatingWorld, openFloatingWorld } from './world.ts';

let world: FloatingWorld;
beforeEach(async () => {
  world = await openFloatingWorld();
});
afterEach(() => world.close());

const ROUNDS = 4;
const associate = (fip: string, port_id: string) =>
  world.ask('PUT', `/floatingips/${fip}`, { floatingip: { port_id } }, 'p1');
const show = async (id: string) => (await world.ask('GET', `/floatingips/${id}`)).json.floatingip;

describe('side by side', () => {
  it('a port is deleted and gets a floating IP: afterwards it has none', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const [port, fip] = [await world.port(), await world.floatingIp()];
      const [associated, deleted] = await Promise.all([
        associate(fip.id, port.id),
        world.ask('DELETE', `/ports/${port.id}`, undefined, 'p1'),
      ]);
      expect(deleted.status).toBe(204);
      expect([200, 404]).toContain(associated.status);
      expect(await show(fip.id)).toMatchObject({ port_id: null, fixed_ip_address: null, router_id: null });
    }
  });

  it('a router loses its interface and gets a floating IP: one of both is refused', async () => {
    const { router, subnet } = world;
    const port = await world.port();
    for (let round = 0; round < ROUNDS; round++) {
      const fip = await world.floatingIp();
      const [associated, removed] = await Promise.all([
        associate(fip.id, port.id),
        world.ask('PUT', `/routers/${router}/remove_router_interface`, { subnet_id: subnet }, 'p1'),
      ]);
      expect([associated.status, removed.status].filter((status) => status === 200)).toHaveLength(1);
      expect((await show(fip.id)).router_id).toBe(associated.status === 200 ? router : null);
      await world.ask('DELETE', `/floatingips/${fip.id}`, undefined, 'p1');
      await world.ask('PUT', `/routers/${router}/add_router_interface`, { subnet_id: subnet }, 'p1');
    }
  });

  it('a floating IP gets a port and a port forwarding: one of both is refused', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const [port, other, fip] = [await world.port(), await world.port(), await world.floatingIp()];
      const forwarding = {
        protocol: 'tcp',
        external_port: 80,
        internal_port: 80,
        internal_port_id: other.id,
        internal_ip_address: other.fixed_ips[0].ip_address,
      };
      const path = `/floatingips/${fip.id}/port_forwardings`;
      const [associated, forwarded] = await Promise.all([
        associate(fip.id, port.id),
        world.ask('POST', path, { port_forwarding: forwarding }, 'p1'),
      ]);
      expect([associated.status, forwarded.status].filter((status) => status < 300)).toHaveLength(1);
    }
  });

  it('port forwardings want the same ports: one gets them', async () => {
    const [port, one, two] = [await world.port(), await world.floatingIp(), await world.floatingIp()];
    const forward = (fip: string, external_port: number, internal_port: number) =>
      world.ask(
        'POST',
        `/floatingips/${fip}/port_forwardings`,
        {
          port_forwarding: {
            protocol: 'tcp',
            external_port,
            internal_port,
            internal_port_id: port.id,
            internal_ip_address: port.fixed_ips[0].ip_address,
          },
        },
        'p1',
      );
    for (const wanted of [
      [forward(one.id, 1, 1), forward(one.id, 1, 2), forward(one.id, 1, 3)],
      [forward(one.id, 10, 10), forward(two.id, 11, 10), forward(two.id, 12, 10)],
    ]) {
      const statuses = (await Promise.all(wanted)).map(({ status }) => status);
      expect(statuses.sort()).toEqual([201, 400, 400]);
    }
  });
});
