import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ADMIN } from '../../support/core.ts';
import { apiOf, servicesOf } from '../../support/services.ts';
import type { ConfigChanges } from '../world.ts';
import { createWorld, type World } from '../world.ts';

let world: World;
let network: string;
const begin = async (config: ConfigChanges = {}) => {
  world = await createWorld(config);
  network = await world.network();
};
afterEach(() => world.close());

const aliases = async () => {
  const api = apiOf(world.core, servicesOf(world.core, world.allocator));
  try {
    const reply = await api.inject({ method: 'GET', url: '/v2.0/extensions' });
    return (reply.json() as { extensions: { alias: string }[] }).extensions.map(({ alias }) => alias);
  } finally {
    await api.close();
  }
};
const rows = () => world.core.db.kysely.selectFrom('portuplinkstatuspropagation').selectAll().execute();

describe('propagate_uplink_status', () => {
  beforeEach(() => begin());

  test('is set on create, kept, and shown', async () => {
    const port = await world.port(network, { propagate_uplink_status: true });
    expect(port.propagate_uplink_status).toBe(true);
    expect((await world.portOf(port.id)).propagate_uplink_status).toBe(true);
    expect(await rows()).toEqual([{ port_id: port.id, propagate_uplink_status: 1 }]);
    await world.deletePort(port.id);
    expect(await rows()).toEqual([]);
  });

  test('is false by default, without a row', async () => {
    const port = await world.port(network);
    expect((await world.portOf(port.id)).propagate_uplink_status).toBe(false);
    expect(await rows()).toEqual([]);
  });

  test('cannot be updated, as in Neutron', async () => {
    const { id } = await world.port(network);
    await expect(world.updatePort(id, { propagate_uplink_status: true })).rejects.toMatchObject({ status: 400 });
  });

  test('filters lists, including ports without a row', async () => {
    const on = await world.port(network, { propagate_uplink_status: true });
    const off = await world.port(network);
    const listed = async (value: string) =>
      (
        await servicesOf(world.core)
          .of('port')
          .list(ADMIN, { filters: { propagate_uplink_status: [value] }, sorts: [], pageReverse: false })
      ).map(({ id }) => id);
    expect(await listed('true')).toEqual([on.id]);
    expect(await listed('false')).toEqual([off.id]);
  });

  test('is listed as an extension', async () => {
    expect(await aliases()).toContain('uplink-status-propagation');
  });
});

describe('without uplink_status_propagation in extension_drivers', () => {
  beforeEach(() => begin({ ml2: { extension_drivers: ['port_security'] } }));

  test('ports do not have propagate_uplink_status, and the extension is not listed', async () => {
    const port = await world.port(network);
    expect(port).not.toHaveProperty('propagate_uplink_status');
    expect(await world.portOf(port.id)).not.toHaveProperty('propagate_uplink_status');
    await expect(world.port(network, { propagate_uplink_status: true })).rejects.toMatchObject({ status: 400 });
    expect(await aliases()).not.toContain('uplink-status-propagation');
  });
});
