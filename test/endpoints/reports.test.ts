import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dhcpState, reportTime } from '../plugin/world.ts';
import { createServedWorld, type ServedWorld } from './agents.ts';

let world: ServedWorld;
beforeEach(async () => {
  world = await createServedWorld();
});
afterEach(() => world.close());

const ask = (method: string, args: Readonly<Record<string, unknown>>, version: string) =>
  world.transport.call({ topic: 'q-reports-plugin' }, method, args, { version, timeoutMs: 10_000 });
const report = () => ({
  agent_state: { agent_state: { ...dhcpState('h1'), start_flag: true, uuid: 'b2a7c1f0-0000-4000-8000-000000000001' } },
  time: reportTime(),
});

describe('the reports topic', () => {
  // 1.2: Neutron up to 2025.1 and Neutrino; 1.4: Neutron 2025.2 and later.
  it.each(['1.0', '1.2', '1.3', '1.4'])('accepts heartbeats with version %s', async (version) => {
    expect(await ask('report_state', report(), version)).toBe('new');
    const { agent_type, heartbeat_timestamp } = await world.core.db.kysely
      .selectFrom('agents')
      .selectAll()
      .executeTakeFirstOrThrow();
    expect(agent_type).toBe('DHCP agent');
    expect(Date.parse(`${heartbeat_timestamp.replace(' ', 'T')}Z`)).toBeGreaterThan(Date.now() - 60_000);
  });

  it('rejects heartbeats of a newer version, and changes nothing', async () => {
    await expect(ask('report_state', report(), '1.5')).rejects.toThrow(/does not support RPC version 1\.5/);
    expect(await world.core.db.kysely.selectFrom('agents').selectAll().execute()).toEqual([]);
  });

  it.each(['1.0', '1.4'])(
    'responds to agents that wait for a server (has_alive_neutron_server %s)',
    async (version) => {
      expect(await ask('has_alive_neutron_server', {}, version)).toBe(true);
    },
  );
});
