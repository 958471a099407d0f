import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { changeThings, outlineOf } from '../notifier/oslo/story.ts';
import { type CallersApi, openCallersApi } from '../support/callers.ts';

const fixture = (name: string) =>
  JSON.parse(readFileSync(new URL(`../fixtures/notifications/${name}.json`, import.meta.url), 'utf8'));

let api: CallersApi;
const open = async (driver: string) => {
  api = await openCallersApi({ oslo_messaging_notifications: { driver } });
};
afterEach(() => api.close());

const rows = () => api.core.db.kysely.selectFrom('notifications').selectAll().orderBy('id').execute();
const enqueued = async () =>
  (await rows()).map((row) => ({ event: row.event_type, payload: JSON.parse(row.payload), row }));

describe('changes through the API', () => {
  beforeEach(() => open('messagingv2'));

  test('are notified as by stock Neutron: with start and end, refused ones with the start alone', async () => {
    await changeThings(async (method, path, body) => (await api.ask(method, `/${path}`, body)).json);
    const outline = (await enqueued()).map(({ event, payload }) => outlineOf(event, payload));
    expect(outline).toEqual(fixture('outline'));
  });

  test('are notified with the context of their caller, and without the token', async () => {
    await api.ask('POST', '/networks', { network: {} }, 'p7:member');
    const [start, end] = await rows();
    expect(start?.message_id).not.toBe(end?.message_id);
    const context = JSON.parse(String(start?.context));
    const names = Object.keys(fixture('network.create.start').payload).filter((name) => name.startsWith('_context_'));
    expect(
      Object.keys(context)
        .map((name) => `_context_${name}`)
        .sort(),
    ).toEqual(names.sort());
    expect(context).toMatchObject({ project_id: 'p7', tenant_id: 'p7', roles: ['member'], auth_token: null });
    expect(context).toMatchObject({ is_admin: false, request_id: expect.stringMatching(/^req-/) });
  });

  test('show consumers what the caller may see, and nothing else', async () => {
    await api.ask('POST', '/networks', { network: {} }, 'p7:member');
    const [, end] = await enqueued();
    expect(end?.payload.network.id).toBeDefined();
    expect(end?.payload.network).not.toHaveProperty('provider:network_type');
  });

  test('are notified for a list of one as for a list', async () => {
    await api.ask('POST', '/networks', { networks: [{ name: 'n' }] });
    expect((await enqueued()).map(({ payload }) => Object.keys(payload))).toEqual([['networks'], ['networks']]);
  });

  test('are notified in the transaction: a change that is rolled back has no end', async () => {
    const network = await api.create('/networks', 'network', {});
    const refused = await api.ask('POST', '/ports', {
      ports: [
        { network_id: network.id },
        { network_id: network.id, mac_address: 'fa:16:3e:00:00:01' },
        {
          network_id: network.id,
          mac_address: 'fa:16:3e:00:00:01',
        },
      ],
    });
    expect(refused.status).toBe(409);
    expect((await enqueued()).map(({ event }) => event)).toEqual([
      'network.create.start',
      'network.create.end',
      'port.create.start',
    ]);
  });

  test('of networks and routers of agents are notified', async () => {
    const { reportState } = await import('../../src/plugin/agents/report.ts');
    const { dhcpState, reportTime } = await import('./world.ts');
    await reportState(api.core, dhcpState('h1'), reportTime());
    const [{ id: agent }] = (await api.ask('GET', '/agents')).json.agents;
    const { id: network_id } = await api.create('/networks', 'network', {});
    await api.ask('POST', `/agents/${agent}/dhcp-networks`, { network_id });
    await api.ask('DELETE', `/agents/${agent}/dhcp-networks/${network_id}`);
    const payload = { agent: { id: agent, network_id } };
    expect((await enqueued()).slice(2)).toMatchObject([
      { event: 'dhcp_agent.network.add', payload },
      { event: 'dhcp_agent.network.remove', payload },
    ]);
  });
});

test.each(['', 'noop'])('nothing is written with driver = "%s"', async (driver) => {
  await open(driver);
  await api.create('/networks', 'network', {});
  expect(await rows()).toEqual([]);
});
