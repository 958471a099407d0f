import { describe, expect, it } from 'vitest';
import { castsOf, isForServing, needsAgents } from '../../src/notifier/casts.ts';
import type { ServingAgent } from '../../src/scheduler/bindings.ts';

const agent = (host: string, values: Partial<ServingAgent> = {}): ServingAgent => ({
  id: `id-${host}`,
  host,
  availabilityZone: 'nova',
  enabled: true,
  alive: true,
  ...values,
});

describe('events for the DHCP agents of a network', () => {
  it.each([
    ['network_update_end', 1],
    ['subnet_create_end', 3],
    ['subnet_update_end', 3],
    ['subnet_delete_end', 4],
    ['port_update_end', 6],
    ['port_delete_end', 6],
  ])('%s goes to each of them with priority %i', (method, priority) => {
    expect(castsOf(method, { a: 1 }, [agent('h1'), agent('h2')])).toEqual(
      ['h1', 'h2'].map((server) => ({
        target: { topic: 'dhcp_agent', server },
        method,
        args: { payload: { a: 1, priority } },
        version: '1.0',
      })),
    );
  });

  it('port_create_end is more urgent at one agent, a living one', () => {
    const casts = castsOf('port_create_end', {}, [agent('dead', { alive: false }), agent('h1'), agent('h2')]);
    expect(casts.map((c) => [c.target.server, (c.args.payload as { priority: number }).priority])).toEqual([
      ['dead', 6],
      ['h1', 5],
      ['h2', 6],
    ]);
    const [only] = castsOf('port_create_end', {}, [agent('dead', { alive: false })]);
    expect(only?.args).toEqual({ payload: { priority: 5 } });
  });

  it('are not for agents that are disabled', () => {
    expect(castsOf('port_create_end', {}, [agent('h1', { enabled: false })])).toEqual([]);
  });

  it('network_delete_end goes to all agents by fanout', () => {
    expect(castsOf('network_delete_end', { network_id: 'n' }, [])).toEqual([
      {
        target: { topic: 'dhcp_agent', fanout: true },
        method: 'network_delete_end',
        args: { payload: { network_id: 'n', priority: 2 } },
        version: '1.0',
      },
    ]);
    expect(isForServing('network_delete_end')).toBe(false);
  });
});

describe('events for one DHCP agent', () => {
  it.each([
    ['network_create_end', { network: { id: 'n' } }, { network: { id: 'n' }, priority: 0 }],
    ['network_delete_end', { network_id: 'n' }, { network_id: 'n', priority: 2 }],
    ['agent_updated', { admin_state_up: false }, { admin_state_up: false }],
  ])('agent.%s goes to its host alone', (method, payload, told) => {
    expect(castsOf(`agent.${method}`, { host: 'h1', payload }, [agent('h2')])).toEqual([
      { target: { topic: 'dhcp_agent', server: 'h1' }, method, args: { payload: told }, version: '1.0' },
    ]);
  });
});

describe('events for L2 agents', () => {
  it.each([
    ['port_update', 'q-agent-notifier-port-update', '1.0'],
    ['port_delete', 'q-agent-notifier-port-delete', '1.0'],
    ['network_update', 'q-agent-notifier-network-update', '1.4'],
    ['network_delete', 'q-agent-notifier-network-delete', '1.0'],
  ])('l2.%s goes to %s by fanout', (method, topic, version) => {
    expect(castsOf(`l2.${method}`, { a: 1 }, [agent('h1')])).toEqual([
      { target: { topic, fanout: true }, method, args: { a: 1 }, version },
    ]);
  });
});

it.each(['nonsense', 'agent.nonsense', 'agent.constructor', 'l2.nonsense', 'toString'])(
  '%s is no method of an agent',
  (method) => {
    expect(() => castsOf(method, { host: 'h', payload: {} }, [agent('h')])).toThrow(/no agent knows a method/);
  },
);

it.each([
  ['port_create_end', { port: { device_owner: 'compute:nova' } }, true],
  ['port_create_end', { port: { device_owner: '' } }, true],
  ['port_create_end', { port: { device_owner: 'network:dhcp' } }, false],
  ['port_update_end', { port: { device_owner: 'compute:nova' } }, false],
  ['subnet_create_end', { subnet: { enable_dhcp: true } }, true],
  ['subnet_create_end', { subnet: { enable_dhcp: false } }, false],
  ['subnet_update_end', { subnet: { enable_dhcp: true } }, true],
  ['network_update_end', { network: {} }, false],
  ['subnet_delete_end', {}, false],
])('%s of %j shows that the network needs an agent: %s', (method, payload, needs) => {
  expect(needsAgents(method, payload)).toBe(needs);
});
