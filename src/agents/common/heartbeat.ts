import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { RpcTransport } from '../../rpc/contract.ts';
import { topicClient } from '../../rpc/topic.ts';
import { type AgentState, REPORTS_TOPIC } from '../../rpc/topics/reports.ts';
import { backoffDelay } from '../../time/backoff.ts';

export interface HeartbeatOptions {
  readonly transport: RpcTransport;
  /** Milliseconds between the beginnings of two reports, and until one counts as unanswered. */
  readonly intervalMs: number;
  /** The agent's state now; `start_flag` is added here. */
  readonly state: () => AgentState;
  readonly log: Logger;
  /** The server had taken the agent for dead: what it told meanwhile may be lost. */
  readonly onRevived?: () => void;
  /** Reports are answered again after some were not: what the server told meanwhile may be lost. */
  readonly onRecovered?: () => void;
}

/** An agent that runs. */
export interface RunningAgent {
  /** Resolves when the server has answered the first report, or it could not be sent. */
  readonly reported: Promise<void>;
  close(): Promise<void>;
}

export interface Heartbeat {
  /** Resolves when the first report was answered, or could not be sent. */
  readonly first: Promise<void>;
  /** No further reports. One that is under way is not waited for. */
  close(): void;
}

/** A moment as report_state carries it: ISO 8601, UTC, no zone, microseconds (which the clock here does not have). */
export function reportTime(moment: Date): string {
  return `${moment.toISOString().slice(0, -1)}000`;
}

/**
 * Tells the server regularly that the agent lives. Never throws, never has two reports under way; after a failure it tries
 * again soon (1 s, doubling up to the interval). What goes wrong is logged once until reports are answered again.
 */
export function startHeartbeat(options: HeartbeatOptions): Heartbeat {
  const { transport, intervalMs, state, log, onRevived, onRecovered } = options;
  const client = topicClient(transport, REPORTS_TOPIC);
  const { promise: first, resolve: firstDone } = Promise.withResolvers<void>();
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  let answered = false;
  let failures = 0;

  async function report(): Promise<void> {
    const began = performance.now();
    let wait: number;
    try {
      const result = await client.call(
        'report_state',
        {
          agent_state: { agent_state: { ...state(), ...(answered ? {} : { start_flag: true }), uuid: randomUUID() } },
          time: reportTime(new Date()),
        },
        { timeoutMs: intervalMs },
      );
      if (closed) return;
      const missed = failures;
      answered = true;
      failures = 0;
      if (missed > 0) log.info({ missed }, 'agent state reports are answered again');
      if (result === 'revived') {
        log.info('the server had taken this agent for dead');
        notify(onRevived);
      } else if (missed > 0) notify(onRecovered);
      wait = Math.max(0, began + intervalMs - performance.now());
    } catch (error) {
      if (closed) return;
      failures += 1;
      if (failures === 1) log.warn({ err: error }, 'the agent state cannot be reported; trying again until it can');
      else log.debug({ err: error, failures }, 'the agent state cannot be reported');
      wait = backoffDelay(failures, { firstMs: Math.min(1_000, intervalMs), maxMs: intervalMs });
    } finally {
      firstDone();
    }
    timer = setTimeout(() => void report(), wait);
  }

  function notify(callback: (() => void) | undefined): void {
    try {
      callback?.();
    } catch (error) {
      log.error({ err: error }, 'a listener of the heartbeat failed');
    }
  }

  void report();
  return {
    first,
    close: () => {
      closed = true;
      clearTimeout(timer);
    },
  };
}
