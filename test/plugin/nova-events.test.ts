import { afterEach, describe, expect, test } from 'vitest';
import { reportState } from '../../src/plugin/agents/report.ts';
import { completeProvisioning } from '../../src/plugin/provisioning.ts';
import { createServedWorld, type ServedWorld } from '../endpoints/agents.ts';
import { type FloatingWorld, openFloatingWorld } from './floatingips/world.ts';
import { l2State, reportTime } from './world.ts';

const NOVA = { auth_url: 'http://127.0.0.1:1', username: 'neutron', password: 'x', project_name: 'service' };
const SERVER = '3f2a1e0c-9d5b-4f6f-8a51-0c2f5f1f7d11';
const MACHINE = { device_id: SERVER, device_owner: 'compute:nova', 'binding:host_id': 'h1' };

let closing: (() => Promise<void>) | undefined;
afterEach(async () => {
  await closing?.();
  closing = undefined;
});

/** Returns the waiting events as `name port`, with the names of ports, and removes them. */
async function taken({ core }: Pick<ServedWorld, 'core'>, names: Readonly<Record<string, string>>) {
  const rows = await core.db.kysely.selectFrom('novaevents').selectAll().orderBy('id').execute();
  await core.db.kysely.deleteFrom('novaevents').execute();
  for (const row of rows) {
    expect(row.server_uuid).toBe(SERVER);
    expect(row.status).toBe(/plugged/.test(row.name) ? 'completed' : null);
  }
  return rows.map((row) => `${row.name.replace('network-', '')} ${names[row.port_id] ?? row.port_id}`);
}

async function served(changes: Parameters<typeof createServedWorld>[0]) {
  const world = await createServedWorld(changes);
  closing = () => world.close();
  for (const host of ['h1', 'h2']) await world.l2Agent(host);
  const network = await world.network();
  await world.subnet(network, '10.0.0.0/24');
  const port = await world.port(network, MACHINE);
  const device = { device: `tap${port.id.slice(0, 11)}`, agent_id: 'lb0' };
  return {
    world,
    network,
    port,
    details: (host = 'h1') =>
      world.plugin.call('get_devices_details_list', { devices: [device.device], agent_id: 'lb0', host }),
    up: (host = 'h1') => world.plugin.call('update_device_up', { ...device, host }),
    down: (host = 'h1') => world.plugin.call('update_device_down', { ...device, host }),
    events: () => taken(world, { [port.id]: 'p' }),
  };
}

describe('the status of a port of a machine', () => {
  test('is an event when it becomes ACTIVE, and when it is DOWN after that; nothing else is', async () => {
    const { up, down, details, events } = await served({ nova: NOVA });
    await down();
    await details();
    expect(await events()).toEqual([]);
    await up();
    await up();
    expect(await events()).toEqual(['vif-plugged p']);
    await details();
    await down();
    await down();
    expect(await events()).toEqual(['vif-unplugged p']);
  });

  test('is an event when the port is bound to another host', async () => {
    const { world, port, up, events } = await served({ nova: NOVA });
    await up();
    await world.updatePort(port.id, { 'binding:host_id': 'h2' });
    expect(await events()).toEqual(['vif-plugged p', 'vif-unplugged p', 'changed p']);
    await world.updatePort(port.id, { 'binding:host_id': 'h1' });
    expect(await events()).toEqual(['changed p']);
    await up();
    // As Nova does when it detaches the interface: the port is nobody's any more.
    await world.updatePort(port.id, { device_id: '', device_owner: '', 'binding:host_id': null });
    expect(await events()).toEqual(['vif-plugged p']);
  });

  test('is an event during a live migration when the new host has plugged the port, before it is bound there', async () => {
    const { world, port, up, down, events } = await served({ nova: NOVA });
    await up();
    await events();
    await up('h2');
    expect(await events()).toEqual(['vif-plugged p']);
    await world.updatePort(port.id, { 'binding:profile': { migrating_to: 'h2' } });
    await down();
    await events();
    await world.transaction((trx) => completeProvisioning(trx, world.core, [port.id], 'L2'));
    expect(await events()).toEqual(['vif-plugged p']);
    await down();
    await events();
    const none = world.core.db.kysely.deleteFrom('provisioningblocks');
    await none.execute();
    // DHCP says nothing about the new host.
    await world.transaction((trx) => completeProvisioning(trx, world.core, [port.id], 'DHCP'));
    expect(await world.portOf(port.id)).toMatchObject({ status: 'ACTIVE' });
    expect(await events()).toEqual([]);
  });
});

describe('requests', () => {
  test('that change or delete a port of a machine are events; creation is not', async () => {
    const { world, port, events } = await served({ nova: NOVA });
    expect(await events()).toEqual([]);
    await world.updatePort(port.id, { name: 'n' });
    expect(await events()).toEqual(['changed p']);
    await expect(world.updatePort(port.id, { fixed_ips: [{ ip_address: '192.0.2.1' }] })).rejects.toThrow();
    expect(await events()).toEqual([]);
    await world.deletePort(port.id);
    expect(await events()).toEqual(['vif-deleted p']);
  });

  test.each([
    ['no device', { device_id: '' }],
    ['a device that is no UUID', { device_id: 'machine' }],
    ['a router', { device_owner: 'network:other' }],
    ['Ironic', { device_owner: 'baremetal:none' }],
  ])('about a port of %s are not', async (_whose, values) => {
    const { world, network, events } = await served({ nova: NOVA });
    const other = await world.port(network, { ...MACHINE, ...values });
    await world.plugin.call('update_device_up', { device: other.id, agent_id: 'lb0', host: 'h1' });
    await world.updatePort(other.id, { name: 'n' });
    await world.deletePort(other.id);
    expect(await events()).toEqual([]);
  });

  test('about floating IPs are events of their ports, the former and the new one', async () => {
    const world: FloatingWorld = await openFloatingWorld({ nova: NOVA });
    closing = () => world.close();
    await reportState(world.core, l2State('h1'), reportTime());
    const [a, b] = [await world.port(), await world.port()];
    const machine = { port: { device_id: SERVER, device_owner: 'compute:nova' } };
    for (const { id } of [a, b]) expect((await world.ask('PUT', `/ports/${id}`, machine)).status).toBe(200);
    const events = () => taken(world, { [a.id]: 'a', [b.id]: 'b' });
    await events();
    const unused = await world.floatingIp();
    expect(await events()).toEqual([]);
    await world.ask('DELETE', `/floatingips/${unused.id}`, undefined, 'p1');
    expect(await events()).toEqual([]);
    const { id } = await world.floatingIp({ port_id: a.id });
    expect(await events()).toEqual(['changed a']);
    const put = (floatingip: object) => world.ask('PUT', `/floatingips/${id}`, { floatingip }, 'p1');
    expect((await put({ port_id: b.id })).status).toBe(200);
    expect((await events()).sort()).toEqual(['changed a', 'changed b']);
    await put({ description: 'd' });
    expect(await events()).toEqual(['changed b']);
    await put({ port_id: null });
    expect(await events()).toEqual(['changed b']);
    await put({ port_id: a.id });
    await world.ask('DELETE', `/floatingips/${id}`, undefined, 'p1');
    expect(await events()).toEqual(['changed a', 'changed a']);
  });
});

test.each([
  ['without a Nova', {}, []],
  ['with both options off', { nova: NOVA, DEFAULT: off('status', 'data') }, []],
  ['about data only', { nova: NOVA, DEFAULT: off('status') }, ['changed p', 'vif-deleted p']],
  ['about status only', { nova: NOVA, DEFAULT: off('data') }, ['vif-plugged p', 'vif-plugged p', 'vif-unplugged p']],
])('events %s', async (_what, changes, expected) => {
  const { world, port, up, down, events } = await served(changes);
  await up();
  await up('h2');
  await down();
  await world.updatePort(port.id, { name: 'n' });
  await world.deletePort(port.id);
  expect(await events()).toEqual(expected);
});

function off(...names: readonly ('status' | 'data')[]) {
  return Object.fromEntries(names.map((name) => [`notify_nova_on_port_${name}_changes`, false]));
}
