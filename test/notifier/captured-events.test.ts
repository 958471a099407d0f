import { expect, it } from 'vitest';
import { castsOf } from '../../src/notifier/casts.ts';
import type { RpcArgs } from '../../src/rpc/contract.ts';
import { type AgentEvent, EVENTS } from '../../src/rpc/events.ts';
import { captured } from '../rpc/rabbit/captured.ts';

/** The one of these messages that was captured only by fanout. */
const { network_removed_from_agent: _, ...CAPTURED } = EVENTS;

/** The payload of a captured message as a rule would enqueue it: without what the event adds. */
function payloadOf(args: RpcArgs): RpcArgs {
  if (!('payload' in args)) return args;
  const { priority: _, ...payload } = args.payload as Record<string, unknown>;
  return payload;
}

it.each(Object.values<AgentEvent>(CAPTURED))("$name goes over the wire as stock neutron-server's $method", (event) => {
  const { exchange, routing_keys, payload: message } = captured(event.method).request;
  const { method, version, args } = message as { method: string; version: string; args: RpcArgs };
  const agent = { id: 'a', host: 'vm', availabilityZone: null, enabled: true, alive: true };
  const host = event.audience === 'host' ? 'vm' : null;
  const casts = castsOf({ event, payload: payloadOf(args), host }, [agent]);
  expect(casts).toEqual([{ target: expect.anything(), method, version, args }]);
  const { topic, server, fanout } = casts[0]?.target ?? { topic: '' };
  expect([fanout ? `${topic}_fanout` : 'neutron', fanout ? [''] : [`${topic}.${server}`]]).toEqual([
    exchange,
    routing_keys,
  ]);
});
