import { describe, expect, it } from 'vitest';
import { castsOf } from '../../src/notifier/casts.ts';
import type { RpcArgs } from '../../src/rpc/contract.ts';
import { type AgentEvent, EVENTS } from '../../src/rpc/events.ts';
import type { HostingAgent } from '../../src/scheduler/bindings.ts';

const agent = (host: string, values: Partial<HostingAgent> = {}): HostingAgent => ({
  id: `id-${host}`,
  host,
  availabilityZone: 'nova',
  enabled: true,
  alive: true,
  ...values,
});
const toAudience = (event: AgentEvent, payload: RpcArgs, hosting: readonly HostingAgent[] = []) =>
  castsOf({ event, payload, host: null }, hosting);

describe('events for the DHCP agents of a network', () => {
  it.each([
    [EVENTS.network_update_end, 1],
    [EVENTS.subnet_create_end, 3],
    [EVENTS.subnet_update_end, 3],
    [EVENTS.subnet_delete_end, 4],
    [EVENTS.port_update_end, 6],
    [EVENTS.port_delete_end, 6],
  ] as readonly (readonly [AgentEvent, number])[])('$name goes to each of them with priority %i', (event, priority) => {
    expect(toAudience(event, { a: 1 }, [agent('h1'), agent('h2')])).toEqual(
      ['h1', 'h2'].map((server) => ({
        target: { topic: 'dhcp_agent', server },
        method: event.name,
        args: { payload: { a: 1, priority } },
        version: '1.0',
      })),
    );
  });

  it('port_create_end is more urgent at one agent, a live one', () => {
    const casts = toAudience(EVENTS.port_create_end, {}, [agent('dead', { alive: false }), agent('h1'), agent('h2')]);
    expect(casts.map((c) => [c.target.server, (c.args.payload as { priority: number }).priority])).toEqual([
      ['dead', 6],
      ['h1', 5],
      ['h2', 6],
    ]);
    const [only] = toAudience(EVENTS.port_create_end, {}, [agent('dead', { alive: false })]);
    expect(only?.args).toEqual({ payload: { priority: 5 } });
  });

  it('are not for agents that are disabled', () => {
    expect(toAudience(EVENTS.port_create_end, {}, [agent('h1', { enabled: false })])).toEqual([]);
  });

  it('network_delete_end goes to all agents by fanout, because none hosts the network any more', () => {
    expect(toAudience(EVENTS.network_delete_end, { network_id: 'n' }, [agent('h1')])).toEqual([
      {
        target: { topic: 'dhcp_agent', fanout: true },
        method: 'network_delete_end',
        args: { payload: { network_id: 'n', priority: 2 } },
        version: '1.0',
      },
    ]);
  });
});

describe('events for one DHCP agent', () => {
  it.each([
    [EVENTS.network_added_to_agent, 'network_create_end', { network: { id: 'n' } }, { priority: 0 }],
    [EVENTS.network_removed_from_agent, 'network_delete_end', { network_id: 'n' }, { priority: 2 }],
    [EVENTS.dhcp_agent_updated, 'agent_updated', { admin_state_up: false }, {}],
  ] as readonly (readonly [AgentEvent, string, RpcArgs, object])[])(
    '$name goes to its host alone, as %s',
    (event, method, payload, more) => {
      expect(castsOf({ event, payload, host: 'h1' }, [agent('h2')])).toEqual([
        {
          target: { topic: 'dhcp_agent', server: 'h1' },
          method,
          args: { payload: { ...payload, ...more } },
          version: '1.0',
        },
      ]);
    },
  );

  it('cannot be sent without a host', () => {
    expect(() => toAudience(EVENTS.dhcp_agent_updated, {}, [agent('h1')])).toThrow(/dhcp_agent_updated.*names none/);
  });
});

describe('events for L2 agents', () => {
  it.each([
    [EVENTS.port_update, 'q-agent-notifier-port-update', '1.0'],
    [EVENTS.port_delete, 'q-agent-notifier-port-delete', '1.0'],
    [EVENTS.network_update, 'q-agent-notifier-network-update', '1.4'],
    [EVENTS.network_delete, 'q-agent-notifier-network-delete', '1.0'],
  ] as readonly (readonly [AgentEvent, string, string])[])('$name goes to %s by fanout', (event, topic, version) => {
    expect(toAudience(event, { a: 1 }, [agent('h1')])).toEqual([
      { target: { topic, fanout: true }, method: event.name, args: { a: 1 }, version },
    ]);
  });
});
