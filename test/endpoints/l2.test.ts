import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Document } from '../../src/plugin/module.ts';
import { createServedWorld, type ServedWorld } from './agents.ts';

let world: ServedWorld;
let network: string;
beforeEach(async () => {
  world = await createServedWorld();
  await world.l2Agent('h1');
  network = await world.network();
  await world.subnet(network, '10.0.0.0/24');
});
afterEach(() => world.close());

const bound = (values: Document = {}) =>
  world.port(network, { 'binding:host_id': 'h1', device_owner: 'compute:nova', ...values });
const tap = (port: { readonly id: string }) => `tap${port.id.slice(0, 11)}`;
const details = (devices: readonly string[], host = 'h1') =>
  world.plugin.call('get_devices_details_list', { devices, agent_id: 'lb0', host });
const up = (device: string, host = 'h1') => world.plugin.call('update_device_up', { device, agent_id: 'lb0', host });
const down = (device: string, host = 'h1') =>
  world.plugin.call('update_device_down', { device, agent_id: 'lb0', host });
const statusOf = async (port: { readonly id: string }) => (await world.portOf(port.id)).status;
const revisionOf = async (port: { readonly id: string }) => Number((await world.portOf(port.id)).revision_number);
const blocks = async () =>
  (await world.core.db.kysely.selectFrom('provisioningblocks').select('entity').execute()).map((b) => b.entity).sort();

describe('get_devices_details_list', () => {
  it('has the structure of a captured response', async () => {
    const { result } = JSON.parse(
      readFileSync(new URL('../fixtures/agent-calls/get_devices_details_list.json', import.meta.url), 'utf8'),
    );
    const port = await bound({ allowed_address_pairs: [{ ip_address: '10.0.0.99' }] });
    const [answer] = await details([tap(port)]);
    expect(Object.keys(answer ?? {}).sort()).toEqual(Object.keys(result[0]).sort());
    expect(answer).toMatchObject({
      device: tap(port),
      port_id: port.id,
      network_id: network,
      mac_address: port.mac_address,
      admin_state_up: true,
      network_type: 'vxlan',
      segmentation_id: expect.any(Number),
      physical_network: null,
      mtu: 1450,
      fixed_ips: port.fixed_ips,
      device_owner: 'compute:nova',
      allowed_address_pairs: [{ ip_address: '10.0.0.99', mac_address: port.mac_address }],
    });
  });

  it('finds ports by tap device, id and MAC, in the requested order, and returns unknown devices by name', async () => {
    const [one, two, three] = [await bound(), await bound(), await bound()];
    const devices = [tap(one), 'tap00000000-00', two.id, String(three.mac_address).toUpperCase(), 'eth0', 'tap%'];
    const answers = await details(devices);
    expect(answers.map((answer) => answer.device)).toEqual(devices);
    expect(answers.map((answer) => answer.port_id)).toEqual([
      one.id,
      undefined,
      two.id,
      three.id,
      undefined,
      undefined,
    ]);
    expect(answers[1]).toEqual({ device: 'tap00000000-00' });
  });

  it('returns only the name of ports that are unbound or bound elsewhere', async () => {
    const [here, unbound] = [await bound(), await world.port(network)];
    expect(await details([tap(here), tap(unbound)], 'h2')).toEqual([{ device: tap(here) }, { device: tap(unbound) }]);
    expect(await details([tap(unbound)])).toEqual([{ device: tap(unbound) }]);
    expect(await statusOf(here)).toBe('DOWN');
  });

  it('binds a port whose binding failed while its agent seemed dead, once the agent is alive', async () => {
    await world.core.db.kysely.updateTable('agents').set({ heartbeat_timestamp: '2020-01-01 00:00:00' }).execute();
    const port = await bound();
    expect(port).toMatchObject({ 'binding:vif_type': 'binding_failed' });
    const revision = await revisionOf(port);
    expect(await details([tap(port)])).toEqual([{ device: tap(port) }]);
    expect(await revisionOf(port)).toBe(revision);
    await world.l2Agent('h1');
    expect(await details([tap(port)], 'h2')).toEqual([{ device: tap(port) }]);
    expect(await details([tap(port)])).toMatchObject([{ port_id: port.id, network_id: network }]);
    expect(await world.portOf(port.id)).toMatchObject({ 'binding:vif_type': 'bridge', status: 'BUILD' });
    await up(tap(port));
    expect(await statusOf(port)).toBe('ACTIVE');
  });

  it('does not change a port that its agent cannot bind', async () => {
    await world.core.db.kysely.updateTable('agents').set({ heartbeat_timestamp: '2020-01-01 00:00:00' }).execute();
    const port = await bound({ 'binding:vnic_type': 'direct' });
    await world.l2Agent('h1');
    const revision = await revisionOf(port);
    expect(await details([tap(port)])).toEqual([{ device: tap(port) }]);
    expect(await revisionOf(port)).toBe(revision);
  });

  it('finds many devices at once', async () => {
    const ports = [];
    for (let i = 0; i < 230; i += 1) ports.push(await bound({ fixed_ips: [] }));
    const answers = await details(ports.map(tap));
    expect(answers.map((answer) => answer.port_id)).toEqual(ports.map((port) => port.id));
  });
});

describe("a port's life", () => {
  it('is DOWN, BUILD once its details were requested, ACTIVE once it is wired, each with a new revision', async () => {
    const port = await bound();
    expect(port.status).toBe('DOWN');
    const revision = await revisionOf(port);
    await details([tap(port)]);
    expect([await statusOf(port), await revisionOf(port)]).toEqual(['BUILD', revision + 1]);
    await up(tap(port));
    expect([await statusOf(port), await revisionOf(port)]).toEqual(['ACTIVE', revision + 2]);
    expect(await blocks()).toEqual([]);
  });

  it('remains ACTIVE, without a new revision, if its agent requests and reports again', async () => {
    const port = await bound();
    await details([tap(port)]);
    await up(tap(port));
    const revision = await revisionOf(port);
    await details([tap(port)]);
    await up(tap(port));
    expect([await statusOf(port), await revisionOf(port)]).toEqual(['ACTIVE', revision]);
  });

  it('also waits for DHCP if an agent hosts the network, in either order', async () => {
    await world.dhcpAgent('h1');
    const [one, two] = [await bound(), await bound()];
    expect(await blocks()).toEqual(['DHCP', 'DHCP', 'L2', 'L2']);
    await details([tap(one), tap(two)]);
    await up(tap(one));
    await world.plugin.call('dhcp_ready_on_ports', { port_ids: [two.id] });
    expect([await statusOf(one), await statusOf(two)]).toEqual(['BUILD', 'BUILD']);
    await world.plugin.call('dhcp_ready_on_ports', { port_ids: [one.id, world.nobody, one.id] });
    await up(tap(two));
    expect([await statusOf(one), await statusOf(two)]).toEqual(['ACTIVE', 'ACTIVE']);
  });

  it('becomes ACTIVE if both report simultaneously', async () => {
    await world.dhcpAgent('h1');
    const ports: { readonly id: string }[] = [];
    for (let i = 0; i < 12; i += 1) ports.push(await bound());
    const ready = (port: { readonly id: string }) =>
      world.plugin.call('dhcp_ready_on_ports', { port_ids: [port.id, ...ports.map(({ id }) => id)] });
    await Promise.all(ports.flatMap((port) => [up(tap(port)), ready(port)]));
    expect(await Promise.all(ports.map(statusOf))).toEqual(ports.map(() => 'ACTIVE'));
  });

  it('does not wait for DHCP if no agent is alive, the port has no address with DHCP, or is a DHCP port', async () => {
    await bound();
    expect(await blocks()).toEqual(['L2']);
    await world.dhcpAgent('h1');
    await bound({ fixed_ips: [] });
    await bound({ device_owner: 'network:dhcp' });
    expect(await blocks()).toEqual(['L2', 'L2', 'L2']);
  });

  it('no longer waits for DHCP if its agent is dead and does not host the network', async () => {
    const agent = await world.dhcpAgent('h1');
    const port = await bound();
    await world.kill(agent);
    await details([tap(port)]);
    await up(tap(port));
    expect(await statusOf(port)).toBe('ACTIVE');
  });

  it('is not ACTIVE if only DHCP is ready, unbound or not wired', async () => {
    const [unbound, unwired] = [await world.port(network), await bound()];
    await world.plugin.call('dhcp_ready_on_ports', { port_ids: [unbound.id, unwired.id] });
    expect([await statusOf(unbound), await statusOf(unwired)]).toEqual(['DOWN', 'DOWN']);
  });

  it('is not ACTIVE while it is administratively down', async () => {
    const port = await bound({ admin_state_up: false });
    const [answer] = await details([tap(port)]);
    expect(answer?.admin_state_up).toBe(false);
    await up(tap(port));
    expect(await statusOf(port)).toBe('DOWN');
    await world.updatePort(port.id, { admin_state_up: true });
    await details([tap(port)]);
    expect(await statusOf(port)).toBe('BUILD');
    await up(tap(port));
    expect(await statusOf(port)).toBe('ACTIVE');
  });

  it('is DOWN once its device is gone, and remains so if only DHCP is ready', async () => {
    const port = await bound();
    await up(tap(port));
    expect(await down(tap(port))).toEqual({ device: tap(port), exists: true });
    expect(await statusOf(port)).toBe('DOWN');
    await world.plugin.call('dhcp_ready_on_ports', { port_ids: [port.id] });
    expect(await statusOf(port)).toBe('DOWN');
    await up(tap(port));
    expect(await statusOf(port)).toBe('ACTIVE');
  });

  it('cannot be changed by agents of other hosts', async () => {
    const port = await bound();
    await up(tap(port), 'h2');
    expect(await statusOf(port)).toBe('DOWN');
    await up(tap(port));
    expect(await down(tap(port), 'h2')).toEqual({ device: tap(port), exists: true });
    expect(await statusOf(port)).toBe('ACTIVE');
  });

  it('a device without a port does not exist', async () => {
    expect(await down('tap00000000-00')).toEqual({ device: 'tap00000000-00', exists: false });
    expect(await up('tap00000000-00')).toBeNull();
  });

  it('a change of status alone notifies no agent', async () => {
    const port = await bound();
    await world.outbox();
    await details([tap(port)]);
    await up(tap(port));
    await down(tap(port));
    expect(await world.outbox()).toEqual([]);
  });
});
