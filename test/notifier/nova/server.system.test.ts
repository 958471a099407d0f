import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { waitFor } from '../../../src/time/wait.ts';
import { type ComputeCloud, startComputeCloud } from '../../support/compute-cloud.ts';
import { keystoneObstacle, startKeystone } from '../../support/keystone.ts';
import { NeutrinoProcess } from '../../support/neutrino.ts';

const SERVER = '3f2a1e0c-9d5b-4f6f-8a51-0c2f5f1f7d11';
const WAIT_MS = 60_000;
const obstacle = keystoneObstacle();

let cloud: ComputeCloud;
let folder: string;
beforeEach(async () => {
  cloud = await startComputeCloud();
  folder = mkdtempSync(join(tmpdir(), 'neutrino-nova-'));
});
afterEach(async () => {
  await NeutrinoProcess.killAll();
  await cloud.close();
  rmSync(folder, { recursive: true, force: true });
});

const server = (nova: Readonly<Record<string, string>>) =>
  new NeutrinoProcess({
    words: ['up', '--no-agents', '--bind-port', '0', '--state-path', folder],
    files: { 'neutron.conf': { DEFAULT: { send_events_interval: 0 }, nova } },
  });

/** Starts a server; returns its client. */
async function started(neutrino: NeutrinoProcess) {
  await neutrino.start();
  const url = await neutrino.url();
  return async (method: string, path: string, body?: object) => {
    const response = await fetch(`${url}/v2.0${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    const text = await response.text();
    expect(response.ok, text).toBe(true);
    // biome-ignore lint/suspicious/noExplicitAny: tests read documents of any shape
    return (text === '' ? {} : JSON.parse(text)) as any;
  };
}
const sent = () => cloud.accepted.flat().map(({ name, tag, server_uuid }) => [name, tag, server_uuid]);

test('a server that is killed between commit and answer sends the event after its restart', async () => {
  const neutrino = server(cloud.options);
  let ask = await started(neutrino);
  const { network } = await ask('POST', '/networks', { network: {} });
  const machine = { network_id: network.id, device_id: SERVER, device_owner: 'compute:nova' };
  const ports: string[] = [];
  for (let i = 0; i < 3; i++) ports.push((await ask('POST', '/ports', { port: machine })).port.id);
  cloud.answer = () => 'hang';
  for (const id of ports) await ask('PUT', `/ports/${id}`, { port: { name: 'n' } });
  await waitFor('a request that Nova does not answer', () => cloud.tokens.length > 0, WAIT_MS);
  for (const id of ports) await ask('DELETE', `/ports/${id}`);
  await neutrino.kill();

  // Away at the start, too.
  const { port } = cloud;
  await cloud.close();
  ask = await started(neutrino);
  await neutrino.logged(/cannot notify Nova/);
  await neutrino.kill();
  cloud = await startComputeCloud(port);
  await started(neutrino);
  const expected = ['network-changed', 'network-vif-deleted'].flatMap((name) => ports.map((id) => [name, id, SERVER]));
  await waitFor('all events', () => sent().length >= expected.length, WAIT_MS);
  expect(sent()).toEqual(expected);
});

test('a server without [nova] sends nothing, and says nothing about it', async () => {
  const neutrino = server({});
  const ask = await started(neutrino);
  const { network } = await ask('POST', '/networks', { network: {} });
  const machine = { network_id: network.id, device_id: SERVER, device_owner: 'compute:nova' };
  const { port } = await ask('POST', '/ports', { port: machine });
  await ask('DELETE', `/ports/${port.id}`);
  await neutrino.end('SIGTERM');
  expect(cloud.tokens).toEqual([]);
  expect(neutrino.stderr).not.toMatch(/nova/i);
});

describe.skipIf(obstacle)(`with a Keystone${obstacle ? ` (skipped: ${obstacle})` : ''}`, () => {
  test('a server logs in there, and finds Nova in the catalogue', async () => {
    const keystone = await startKeystone();
    try {
      const account = await keystone.accounts.account('services', ['service'], 'neutron');
      const { service } = (await keystone.accounts.admin('POST', 'services', {
        service: { type: 'compute', name: 'nova' },
      })) as { readonly service: { readonly id: string } };
      const url = `http://127.0.0.1:${cloud.port}/v2.1`;
      const endpoint = { service_id: service.id, interface: 'internal', region_id: keystone.region, url };
      await keystone.accounts.admin('POST', 'endpoints', { endpoint });
      const neutrino = server({
        auth_url: keystone.url,
        auth_type: 'password',
        username: account.user,
        password: account.password,
        user_domain_name: 'Default',
        project_name: account.project,
        project_domain_name: 'Default',
        region_name: keystone.region,
        endpoint_type: 'internal',
      });
      const ask = await started(neutrino);
      const { network } = await ask('POST', '/networks', { network: {} });
      const machine = { network_id: network.id, device_id: SERVER, device_owner: 'compute:nova' };
      const { port } = await ask('POST', '/ports', { port: machine });
      await ask('DELETE', `/ports/${port.id}`);
      await waitFor('the event', () => sent().length === 1, WAIT_MS);
      expect(sent()).toEqual([['network-vif-deleted', port.id, SERVER]]);
      const own = await fetch(`${keystone.url}/auth/tokens`, {
        headers: { 'x-auth-token': await keystone.accounts.adminToken(), 'x-subject-token': cloud.tokens[0] ?? '' },
      });
      expect(((await own.json()) as { token: { user: { name: string } } }).token.user.name).toBe('neutron');
    } finally {
      await keystone.dispose();
    }
  });
});
