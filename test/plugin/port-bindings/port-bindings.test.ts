import { afterEach, beforeEach, expect, test } from 'vitest';
import { reportState } from '../../../src/plugin/agents/report.ts';
import { type CallersApi, openCallersApi } from '../../support/callers.ts';
import { l2State, reportTime } from '../world.ts';

let api: CallersApi;
let network: { readonly id: string };
beforeEach(async () => {
  api = await openCallersApi();
  for (const host of ['h1', 'h2']) await reportState(api.core, l2State(host), reportTime());
  network = await api.create('/networks', 'network', {}, 'p1');
});
afterEach(() => api.close());

const machine = (values: object = {}) =>
  api.create('/ports', 'port', {
    network_id: network.id,
    project_id: 'p1',
    device_owner: 'compute:nova',
    'binding:host_id': 'h1',
    ...values,
  });
const bind = (port: string, host: string, values: object = {}) =>
  api.ask('POST', `/ports/${port}/bindings`, { binding: { host, ...values } });
const bindings = async (port: string) =>
  Object.fromEntries(
    (await api.ask('GET', `/ports/${port}/bindings`)).json.bindings.map(
      (b: { host: string; status: string; vif_type: string }) => [b.host, `${b.status} ${b.vif_type}`],
    ),
  );

test('a port of a machine is bound to a second host, which becomes the active one', async () => {
  const port = await machine();
  expect(await bindings(port.id)).toEqual({ h1: 'ACTIVE bridge' });
  const second = await bind(port.id, 'h2', { profile: { migrating_to: 'h2' } });
  expect(second).toMatchObject({
    status: 201,
    json: { binding: { host: 'h2', status: 'INACTIVE', vnic_type: 'normal', profile: { migrating_to: 'h2' } } },
  });
  expect(await bindings(port.id)).toEqual({ h1: 'ACTIVE bridge', h2: 'INACTIVE bridge' });
  expect((await bind(port.id, 'h2')).type).toBe('PortBindingAlreadyExists');
  // The port itself still is where its active binding is.
  expect((await api.ask('GET', `/ports/${port.id}`)).json.port['binding:host_id']).toBe('h1');

  const activated = await api.ask('PUT', `/ports/${port.id}/bindings/h2/activate`);
  expect(activated).toMatchObject({ status: 200, json: { host: 'h2', status: 'ACTIVE' } });
  expect(await bindings(port.id)).toEqual({ h1: 'INACTIVE unbound', h2: 'ACTIVE bridge' });
  const { port: moved } = (await api.ask('GET', `/ports/${port.id}`)).json;
  expect(moved).toMatchObject({ 'binding:host_id': 'h2', status: 'DOWN', revision_number: port.revision_number + 1 });
  expect((await api.ask('PUT', `/ports/${port.id}/bindings/h2/activate`)).type).toBe('PortBindingAlreadyActive');
  expect((await api.ask('DELETE', `/ports/${port.id}/bindings/h1`)).status).toBe(204);
  expect(await bindings(port.id)).toEqual({ h2: 'ACTIVE bridge' });
});

test('a binding is changed and deleted; without an active one the port is unbound', async () => {
  const port = await machine();
  await bind(port.id, 'h2');
  const changed = await api.ask('PUT', `/ports/${port.id}/bindings/h2`, { binding: { profile: { a: 1 } } });
  expect(changed.json.binding).toMatchObject({ host: 'h2', status: 'INACTIVE', profile: { a: 1 } });
  expect((await api.ask('DELETE', `/ports/${port.id}/bindings/h1`)).status).toBe(204);
  expect((await api.ask('GET', `/ports/${port.id}`)).json.port).toMatchObject({
    'binding:host_id': '',
    'binding:vif_type': 'unbound',
  });
  expect((await api.ask('GET', `/ports/${port.id}/bindings/h1`)).type).toBe('PortBindingNotFound');
});

test('a port that moves to a host with an inactive binding has one binding there', async () => {
  const port = await machine();
  await bind(port.id, 'h2');
  const moved = await api.ask('PUT', `/ports/${port.id}`, { port: { 'binding:host_id': 'h2' } });
  expect(moved).toMatchObject({ status: 200, json: { port: { 'binding:vif_type': 'bridge' } } });
  expect(await bindings(port.id)).toEqual({ h2: 'ACTIVE bridge' });
});

test('what cannot be bound is refused', async () => {
  const port = await machine();
  expect(await bind(port.id, 'nowhere')).toMatchObject({ status: 409, type: 'PortBindingError' });
  expect(await bindings(port.id)).toEqual({ h1: 'ACTIVE bridge' });
  const other = await machine({ device_owner: '' });
  expect(await bind(other.id, 'h2')).toMatchObject({ status: 400, type: 'BadRequest' });
  expect((await api.ask('GET', `/ports/${other.id}/bindings`)).type).toBe('BadRequest');
  expect((await api.ask('PUT', `/ports/${port.id}/bindings/nowhere/activate`)).type).toBe('PortBindingNotFound');
  expect((await api.ask('GET', `/ports/${port.id}/bindings`, undefined, 'p2')).type).toBe('PortNotFound');
  expect((await api.ask('POST', `/ports/${port.id}/bindings`, { binding: { host: 'h2' } }, 'p1')).status).toBe(403);
  expect((await api.ask('GET', `/ports/${port.id}/bindings`, undefined, 'p1:service')).status).not.toBe(500);
});
