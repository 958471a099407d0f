import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { apiOf, servicesOf } from '../../support/services.ts';
import { createWorld, dhcpState, type World } from '../world.ts';

let world: World;
let api: FastifyInstance;
beforeEach(async () => {
  world = await createWorld();
  const { core, allocator } = world;
  api = apiOf(core, servicesOf(core, allocator));
});
afterEach(async () => {
  await api.close();
  await world.close();
});

const ask = async (path: string) => {
  const response = await api.inject({ method: 'GET', url: `/v2.0/availability_zones${path}` });
  return { status: response.statusCode, body: response.json() as Record<string, unknown> };
};
const zones = async (query = '') => (await ask(query)).body.availability_zones;

describe('availability zones', () => {
  it('do not exist without agents', async () => {
    expect(await ask('')).toEqual({ status: 200, body: { availability_zones: [] } });
  });

  it('are those of DHCP agents, each once, and available while one of its agents is enabled', async () => {
    await world.dhcpAgent('h1', { ...dhcpState('h1'), availability_zone: 'east' });
    await world.dhcpAgent('h2', { ...dhcpState('h2'), availability_zone: 'east' });
    const off = await world.dhcpAgent('h3', { ...dhcpState('h3'), availability_zone: 'west' });
    await world.dhcpAgent('h4', { ...dhcpState('h4'), availability_zone: null });
    await world.l2Agent('h5');
    await world.core.db.kysely.updateTable('agents').set({ admin_state_up: 0 }).where('id', '=', off).execute();
    const east = { name: 'east', resource: 'network', state: 'available' };
    const west = { name: 'west', resource: 'network', state: 'unavailable' };
    expect(await zones()).toEqual([east, west]);
    expect(await zones('?state=available')).toEqual([east]);
    expect(await zones('?name=west&resource=network')).toEqual([west]);
    expect(await zones('?resource=router')).toEqual([]);
    expect(await zones('?sort_key=name&sort_dir=desc')).toEqual([west, east]);
    expect(await zones('?fields=name')).toEqual([{ name: 'east' }, { name: 'west' }]);
    await world.dhcpAgent('h6', { agent_type: 'L3 agent', binary: 'neutron-l3-agent', availability_zone: 'east' });
    expect(await zones('?resource=router')).toEqual([{ ...east, resource: 'router' }]);
    expect(await zones('?name=east')).toEqual([east, { ...east, resource: 'router' }]);
    expect((await ask('?colour=red')).status).toBe(400);
    expect((await ask('/east')).status).toBe(404);
  });
});
