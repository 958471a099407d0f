import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { reportState } from '../../../src/plugin/agents/report.ts';
import { createWorld, dhcpState, l2State, reportTime, type World } from '../world.ts';

let world: World;
beforeEach(async () => {
  world = await createWorld();
});
afterEach(() => world.close());

const report = (state: unknown, time: unknown = reportTime()) => reportState(world.core, state, time);
const rows = () => world.core.db.kysely.selectFrom('agents').selectAll().execute();

describe('an agent that reports', () => {
  it('is registered by its first report and kept alive by the next', async () => {
    expect(await report({ ...dhcpState('h1'), start_flag: true })).toBe('new');
    expect(await report(dhcpState('h1'))).toBe('alive');
    expect(await rows()).toMatchObject([
      { agent_type: 'DHCP agent', host: 'h1', binary: 'neutron-dhcp-agent', topic: 'dhcp_agent', admin_state_up: 1 },
    ]);
  });

  it('is identified by host and type', async () => {
    await report(dhcpState('h1'));
    expect(await report({ ...dhcpState('h2'), start_flag: true })).toBe('new');
    expect(await report({ ...l2State('h1'), start_flag: true })).toBe('new');
    expect(await rows()).toHaveLength(3);
  });

  it('is revived after it was considered dead', async () => {
    await world.kill(await world.dhcpAgent('h1'));
    expect(await report(dhcpState('h1'))).toBe('revived');
    expect(await report(dhcpState('h1'))).toBe('alive');
  });

  it('is revived if it was deleted while it was running', async () => {
    const id = await world.dhcpAgent('h1');
    await world.core.db.kysely.deleteFrom('agents').where('id', '=', id).execute();
    expect(await report(dhcpState('h1'))).toBe('revived');
  });

  it('keeps the settings of an operator, and updates what it reports', async () => {
    const id = await world.dhcpAgent('h1');
    const set = { admin_state_up: 0, description: 'mine', started_at: '2020-01-01 00:00:00' };
    await world.core.db.kysely.updateTable('agents').set(set).where('id', '=', id).execute();
    await report({ ...dhcpState('h1'), configurations: { networks: 7 }, resource_versions: { Port: '1.7' } });
    expect(await rows()).toMatchObject([
      { ...set, id, load: 7, configurations: '{"networks":7}', resource_versions: '{"Port":"1.7"}' },
    ]);
  });

  it('must be enabled by an operator with enable_new_agents off', async () => {
    const { core } = world;
    const config = { ...core.config, DEFAULT: { ...core.config.DEFAULT, enable_new_agents: false } };
    await reportState({ ...core, config }, dhcpState('h1'), reportTime());
    expect(await rows()).toMatchObject([{ host: 'h1', admin_state_up: 0 }]);
  });

  it('has the start time of its report with start_flag', async () => {
    const id = await world.dhcpAgent('h1');
    const longAgo = { started_at: '2020-01-01 00:00:00' };
    await world.core.db.kysely.updateTable('agents').set(longAgo).where('id', '=', id).execute();
    await report({ ...dhcpState('h1'), start_flag: true });
    expect((await rows())[0]?.started_at).not.toBe(longAgo.started_at);
  });
});

describe('a report that is malformed', () => {
  const good = dhcpState('h1');
  it.each([
    ['no state', undefined, /state is not a dictionary/],
    ['a list as state', [], /state is not a dictionary/],
    ['no host', { ...good, host: undefined }, /host/],
    ['an empty host', { ...good, host: '' }, /host/],
    ['a line break in the host', { ...good, host: 'a\nb' }, /host/],
    ['a number as agent_type', { ...good, agent_type: 3 }, /agent_type/],
    ['no binary', { ...good, binary: null }, /binary/],
    ['a text as configurations', { ...good, configurations: 'x' }, /configurations/],
    ['configurations that are too long', { ...good, configurations: { a: 'x'.repeat(5000) } }, /configurations.*4095/],
    [
      'resource_versions that are too long',
      { ...good, resource_versions: { a: 'x'.repeat(9000) } },
      /resource_versions/,
    ],
  ])('%s: is refused, naming what is wrong, and changes nothing', async (_what, state, message) => {
    await expect(report(state)).rejects.toThrow(message);
    expect(await rows()).toEqual([]);
  });

  it.each([null, 5, 'yesterday', '2026-11-21'])('the time %s is rejected', async (time) => {
    await expect(report(good, time)).rejects.toThrow(/time of an agent's report/);
    expect(await rows()).toEqual([]);
  });
});

describe('the clock of an agent', () => {
  const logged = async (state: unknown, time: string) => {
    const lines: string[] = [];
    const log = pino({ level: 'error' }, { write: (line: string) => void lines.push(line) });
    await reportState({ ...world.core, log }, state, time);
    return lines;
  };

  it('is logged if it is off when the agent starts', async () => {
    const lines = await logged({ ...dhcpState('h1'), start_flag: true }, '2020-01-01T00:00:00.000000');
    expect(lines.join()).toContain('agent_down_time (75 s)');
    expect(lines.join()).toContain('h1');
  });

  it('is not logged while it is correct, nor with every report', async () => {
    expect(await logged({ ...dhcpState('h1'), start_flag: true }, reportTime())).toEqual([]);
    expect(await logged(dhcpState('h1'), '2020-01-01T00:00:00')).toEqual([]);
  });
});
