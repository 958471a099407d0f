import { expect, it } from 'vitest';
import { castsOf } from '../../src/notifier/casts.ts';
import type { RpcArgs } from '../../src/rpc/contract.ts';
import { type AgentEvent, EVENTS } from '../../src/rpc/events.ts';
import { captured } from '../rpc/rabbit/captured.ts';

/** The one of these messages that was captured only by fanout. */
const { network_removed_from_agent: _, ...CAPTURED } = EVENTS;
const L3 = 'l3_agent';

/** The payload of a captured message as a rule would enqueue it: without what the event adds. */
function payloadOf({ name, topic }: AgentEvent, args: RpcArgs): RpcArgs {
  if (name === 'routers_updated') return { router_id: (args.routers as readonly string[])[0], has_ports: true };
  if (topic === L3 || !('payload' in args)) return args;
  const { priority: _, ...payload } = args.payload as Record<string, unknown>;
  return payload;
}

it.each(Object.values<AgentEvent>(CAPTURED))("$name goes over the wire as stock neutron-server's $method", (event) => {
  const l3 = event.topic === L3;
  const { exchange, routing_keys, payload: message } = captured(l3 ? `l3/${event.method}` : event.method).request;
  const { method, version, args } = message as { method: string; version: string; args: RpcArgs };
  const of = l3 ? 'host1' : 'vm';
  const agent = { id: 'a', host: of, availabilityZone: null, enabled: true, alive: true };
  const host = event.audience === 'host' ? of : null;
  const casts = castsOf({ event, payload: payloadOf(event, args), host }, [agent]);
  expect(casts).toEqual([{ target: expect.anything(), method, version, args }]);
  const { topic, server, fanout } = casts[0]?.target ?? { topic: '' };
  expect([fanout ? `${topic}_fanout` : 'neutron', fanout ? [''] : [`${topic}.${server}`]]).toEqual([
    exchange,
    routing_keys,
  ]);
});
