import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dhcpDeviceId, RESERVED_DHCP_PORT } from '../../../src/net/dhcp-device-id.ts';
import type { Document } from '../../../src/plugin/module.ts';
import { DHCP_AGENTS } from '../../../src/scheduler/agent-kinds.ts';
import { bind } from '../../../src/scheduler/bindings.ts';
import { createServedWorld, type ServedWorld } from '../../endpoints/agents.ts';
import { apiOf, servicesOf } from '../../support/services.ts';

let world: ServedWorld;
let api: FastifyInstance;
beforeEach(async () => {
  world = await createServedWorld();
  const { core, allocator } = world;
  api = apiOf(core, servicesOf(core, allocator));
});
afterEach(async () => {
  await api.close();
  await world.close();
});

async function ask(method: 'GET' | 'PUT' | 'POST' | 'DELETE', path: string, body?: Document) {
  const payload = body === undefined ? {} : { payload: JSON.stringify(body) };
  const response = await api.inject({ method, url: `/v2.0${path}`, ...payload });
  const json = response.body === '' ? undefined : JSON.parse(response.body);
  return { status: response.statusCode, body: json, type: json?.NeutronError?.type as string | undefined };
}
const list = async (path: string): Promise<readonly Document[]> =>
  Object.values((await ask('GET', path)).body)[0] as never;
const hosts = async (path: string) => (await list(path)).map((agent) => agent.host).sort();

describe('agents', () => {
  it('have the same attributes as in Neutron', async () => {
    const id = await world.dhcpAgent('h1');
    const { body } = await ask('GET', `/agents/${id}`);
    const time = expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
    expect(body).toEqual({
      agent: {
        id,
        agent_type: 'DHCP agent',
        binary: 'neutron-dhcp-agent',
        topic: 'dhcp_agent',
        host: 'h1',
        availability_zone: 'nova',
        admin_state_up: true,
        alive: true,
        created_at: time,
        started_at: time,
        heartbeat_timestamp: time,
        description: null,
        configurations: { dhcp_driver: 'neutron.agent.linux.dhcp.Dnsmasq', networks: 0, subnets: 0, ports: 0 },
        resources_synced: null,
      },
    });
  });

  it('are listed with filters, including alive', async () => {
    await world.dhcpAgent('h1');
    await world.kill(await world.dhcpAgent('h2'));
    await world.l2Agent('h1');
    expect(await hosts('/agents')).toEqual(['h1', 'h1', 'h2']);
    expect(await hosts('/agents?agent_type=DHCP%20agent&host=h1')).toEqual(['h1']);
    expect(await hosts('/agents?alive=True&agent_type=DHCP%20agent')).toEqual(['h1']);
    expect(await hosts('/agents?alive=false')).toEqual(['h2']);
    expect(await hosts('/agents?alive=true&alive=false')).toEqual(['h1', 'h1', 'h2']);
    expect(await list('/agents?binary=neutron-linuxbridge-agent&fields=alive&fields=topic')).toEqual([
      { alive: true, topic: 'N/A' },
    ]);
    const described = (await list('/agents?host=h2'))[0]?.id;
    await ask('PUT', `/agents/${described}`, { agent: { description: 'old', admin_state_up: false } });
    expect(await hosts('/agents?description=old')).toEqual(['h2']);
    expect(await hosts('/agents?admin_state_up=False')).toEqual(['h2']);
    expect(await hosts('/agents?availability_zone=nova&topic=dhcp_agent')).toEqual(['h1', 'h2']);
    expect(await hosts('/agents?availability_zone=elsewhere')).toEqual([]);
    expect((await ask('GET', '/agents?nope=1')).status).toBe(400);
    expect((await ask('GET', '/agents?alive=perhaps')).type).toBe('InvalidInput');
    expect((await list('/agents?sort_key=host&sort_dir=desc&limit=1'))[0]?.host).toBe('h2');
  });

  it('can only be described and disabled', async () => {
    const id = await world.dhcpAgent('h1');
    const changed = await ask('PUT', `/agents/${id}`, { agent: { description: 'mine', admin_state_up: false } });
    expect(changed.body.agent).toMatchObject({ id, description: 'mine', admin_state_up: false });
    for (const agent of [{ host: 'x' }, { alive: false }, { configurations: {} }, { admin_state_up: 'perhaps' }])
      expect((await ask('PUT', `/agents/${id}`, { agent })).status).toBe(400);
    expect((await ask('POST', '/agents', { agent: {} })).status).toBe(400);
  });

  it('are notified once when they are disabled or enabled, only if they are DHCP agents', async () => {
    const [dhcp, l2] = [await world.dhcpAgent('h1'), await world.l2Agent('h1')];
    for (const admin_state_up of [false, false, true])
      for (const id of [dhcp, l2]) await ask('PUT', `/agents/${id}`, { agent: { admin_state_up } });
    await ask('PUT', `/agents/${dhcp}`, { agent: { description: 'x' } });
    const told = (admin_state_up: boolean) => ({
      method: 'dhcp_agent_updated',
      ordering_key: dhcp,
      host: 'h1',
      payload: { admin_state_up },
    });
    expect(await world.outbox()).toEqual([told(false), told(true)]);
  });

  it('lose their networks when they are deleted, and register again with their next report', async () => {
    const id = await world.dhcpAgent('h1');
    const network = await world.served(id);
    expect((await ask('DELETE', `/agents/${id}`)).status).toBe(204);
    expect(await ask('GET', `/agents/${id}`)).toMatchObject({ status: 404, type: 'AgentNotFound' });
    expect(await list(`/networks/${network}/dhcp-agents`)).toEqual([]);
    expect(await world.dhcpAgent('h1')).not.toBe(id);
  });

  it('hand their networks over to others when they are deleted, with the same DHCP server address', async () => {
    const old = await world.dhcpAgent('h1');
    const network = await world.served(old);
    const body = (host: string) => ({
      port: { port: { network_id: network, device_id: dhcpDeviceId(host, network) } },
      host,
    });
    const port = await world.plugin.call('create_dhcp_port', body('h1'));
    await world.dhcpAgent('h2');
    await world.outbox();
    expect((await ask('DELETE', `/agents/${old}`)).status).toBe(204);
    expect(await hosts(`/networks/${network}/dhcp-agents`)).toEqual(['h2']);
    expect((await world.outbox())[0]).toMatchObject({ method: 'network_added_to_agent', host: 'h2' });
    expect(await world.portOf(String(port?.id))).toMatchObject({ device_id: RESERVED_DHCP_PORT });
    const last = (await list('/agents?host=h2'))[0]?.id;
    await world.plugin.call('update_dhcp_port', { port_id: String(port?.id), ...body('h2') });
    expect((await ask('DELETE', `/agents/${last}`)).status).toBe(204);
    expect(await list(`/networks/${network}/dhcp-agents`)).toEqual([]);
    expect(await world.portOf(String(port?.id))).toMatchObject({ device_id: RESERVED_DHCP_PORT });
  });

  it.each([
    ['GET', ''],
    ['PUT', ''],
    ['DELETE', ''],
    ['GET', '/dhcp-networks'],
    ['POST', '/dhcp-networks'],
    ['DELETE', '/dhcp-networks/NETWORK'],
  ] as const)('%s /agents/ID%s of no agent is AgentNotFound', async (method, path) => {
    const network = await world.network();
    const body = { PUT: { agent: {} }, POST: { network_id: network }, GET: undefined, DELETE: undefined }[method];
    const answer = await ask(method, `/agents/${world.nobody}${path.replace('NETWORK', network)}`, body);
    expect(answer).toMatchObject({ status: 404, type: 'AgentNotFound' });
  });
});

describe('networks of DHCP agents', () => {
  it('can be added: the agent is notified, and both lists contain it', async () => {
    const id = await world.dhcpAgent('h1');
    const network = await world.network();
    expect(await ask('POST', `/agents/${id}/dhcp-networks`, { network_id: network })).toMatchObject({
      status: 201,
      body: null,
    });
    expect(await list(`/agents/${id}/dhcp-networks`)).toMatchObject([{ id: network, availability_zones: ['nova'] }]);
    expect(await hosts(`/networks/${network}/dhcp-agents`)).toEqual(['h1']);
    expect(await world.outbox()).toEqual([
      {
        method: 'network_added_to_agent',
        ordering_key: network,
        host: 'h1',
        payload: { network: { id: network } },
      },
    ]);
  });

  it('can be added beyond dhcp_agents_per_network', async () => {
    const [one, two] = [await world.dhcpAgent('h1'), await world.dhcpAgent('h2')];
    const network = await world.served(one);
    expect((await ask('POST', `/agents/${two}/dhcp-networks`, { network_id: network })).status).toBe(201);
    expect(await hosts(`/networks/${network}/dhcp-agents`)).toEqual(['h1', 'h2']);
  });

  it('are rejected with an error that names the reason', async () => {
    const [id, l2] = [await world.dhcpAgent('h1'), await world.l2Agent('h1')];
    const network = await world.served(id);
    const add = (agent: string, body?: Document) => ask('POST', `/agents/${agent}/dhcp-networks`, body);
    expect(await add(id, { network_id: network })).toMatchObject({ status: 409, type: 'NetworkHostedByDHCPAgent' });
    expect(await add(id, { network_id: world.nobody })).toMatchObject({ status: 404, type: 'NetworkNotFound' });
    expect(await add(l2, { network_id: network })).toMatchObject({ status: 404, type: 'InvalidDHCPAgent' });
    for (const body of [undefined, {}, { network_id: 5 }, { network_id: null }])
      expect(await add(id, body)).toMatchObject({ status: 400, type: 'HTTPBadRequest' });
    await ask('PUT', `/agents/${id}`, { agent: { admin_state_up: false } });
    const other = await world.network();
    expect(await add(id, { network_id: other })).toMatchObject({ status: 404, type: 'InvalidDHCPAgent' });
  });

  it('can be removed: the agent is notified, and its port is kept for the next agent', async () => {
    const id = await world.dhcpAgent('h1');
    const network = await world.served(id);
    const device_id = dhcpDeviceId('h1', network);
    const body = { port: { port: { network_id: network, device_id } }, host: 'h1' };
    const port = await world.plugin.call('create_dhcp_port', body);
    await world.outbox();
    expect((await ask('DELETE', `/agents/${id}/dhcp-networks/${network}`)).status).toBe(204);
    expect(await list(`/networks/${network}/dhcp-agents`)).toEqual([]);
    expect(await list(`/agents/${id}/dhcp-networks`)).toEqual([]);
    expect(await world.portOf(String(port?.id))).toMatchObject({
      device_id: RESERVED_DHCP_PORT,
      fixed_ips: port?.fixed_ips,
    });
    expect((await world.outbox()).at(-1)).toEqual({
      method: 'network_removed_from_agent',
      ordering_key: network,
      host: 'h1',
      payload: { network_id: network },
    });
    expect(await ask('DELETE', `/agents/${id}/dhcp-networks/${network}`)).toMatchObject({
      status: 409,
      type: 'NetworkNotHostedByDhcpAgent',
    });
  });

  it('without agents do not make ports wait for DHCP', async () => {
    const [one, two] = [await world.dhcpAgent('h1'), await world.dhcpAgent('h2')];
    await world.l2Agent('c1');
    const network = await world.served(one);
    await world.transaction((trx) => bind(trx, DHCP_AGENTS, network, two));
    const port = await world.port(network, { 'binding:host_id': 'c1' });
    await world.plugin.call('update_device_up', { device: port.id, agent_id: 'lb', host: 'c1' });
    const status = async () => (await world.portOf(port.id)).status;
    expect(await status()).toBe('DOWN');
    await ask('DELETE', `/agents/${one}/dhcp-networks/${network}`);
    expect(await status()).toBe('DOWN');
    await world.kill(one);
    await ask('DELETE', `/agents/${two}`);
    expect(await status()).toBe('ACTIVE');
  });

  it('have no agents if they do not exist', async () => {
    expect(await ask('GET', `/networks/${world.nobody}/dhcp-agents`)).toMatchObject({
      status: 200,
      body: { agents: [] },
    });
  });
});
