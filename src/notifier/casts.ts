import type { RpcArgs, RpcTarget } from '../rpc/contract.ts';
import type { AgentEvent } from '../rpc/events.ts';
import type { HostingAgent } from '../scheduler/bindings.ts';

/** One message to agents. */
export interface Cast {
  readonly target: RpcTarget;
  readonly method: string;
  readonly args: RpcArgs;
  readonly version: string;
}

/** An event of the outbox. */
export interface QueuedEvent {
  /** Id of its row. */
  readonly row: number;
  readonly orderingKey: string;
  /** Host of the target agent, if the audience is one host. */
  readonly host: string | null;
  readonly event: AgentEvent;
  readonly payload: RpcArgs;
  /** Whether it indicates that its resource needs an agent. */
  readonly needsAgent: boolean;
}

/** Returns what agents of other kinds are told of an event. */
export const furtherCasts = ({ event, payload }: Pick<QueuedEvent, 'event' | 'payload'>): readonly Cast[] =>
  (event.also?.(payload) ?? []).map(({ topic, method, version, args }) => ({
    target: { topic, fanout: true },
    method,
    args,
    version,
  }));

/**
 * Returns the messages of an event. `hosting`: the agents that host its resource. Disabled ones are excluded, dead ones are not,
 * because they may only seem dead. Throws when the event is for one host and the host is missing.
 */
export function castsOf(
  { event, host, payload }: Pick<QueuedEvent, 'event' | 'host' | 'payload'>,
  hosting: readonly HostingAgent[],
): readonly Cast[] {
  const { topic, method, version } = event;
  const cast = (to: { server: string } | { fanout: true }, first = false): Cast => ({
    target: { topic, ...to },
    method,
    args: event.args(payload, first),
    version,
  });
  if (event.audience === 'all') return [cast({ fanout: true })];
  if (event.audience === 'host') {
    if (host === null) throw new Error(`${event.name} is for one host, but names none`);
    return [cast({ server: host })];
  }
  const enabled = hosting.filter((agent) => agent.enabled);
  const first = enabled.find((agent) => agent.alive) ?? enabled[0];
  return enabled.map((agent) => cast({ server: agent.host }, agent === first));
}
