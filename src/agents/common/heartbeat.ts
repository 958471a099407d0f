import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { RpcTransport } from '../../rpc/contract.ts';
import { topicClient } from '../../rpc/topic.ts';
import { type AgentState, REPORTS_TOPIC } from '../../rpc/topics/reports.ts';
import { backoffDelay } from '../../time/backoff.ts';

export interface HeartbeatOptions {
  readonly transport: RpcTransport;
  /** Milliseconds between the starts of two reports, and the timeout of a report. */
  readonly intervalMs: number;
  /** Returns the current state of the agent; `start_flag` is added here. */
  readonly state: () => AgentState;
  readonly log: Logger;
  /** Called if the server considered the agent dead: notifications may have been lost meanwhile. */
  readonly onRevived?: () => void;
  /** Called when reports succeed again after failures: notifications may have been lost meanwhile. */
  readonly onRecovered?: () => void;
}

/** A running agent. */
export interface RunningAgent {
  /** Resolves when the server has answered the first report, or it could not be sent. */
  readonly reported: Promise<void>;
  close(): Promise<void>;
}

export interface Heartbeat {
  /** Resolves when the first report was answered, or could not be sent. */
  readonly first: Promise<void>;
  /** Stops reporting. Does not wait for a running report. */
  close(): void;
}

/** Formats a time for report_state: ISO 8601, UTC without zone, with microseconds (always zero below milliseconds). */
export function reportTime(moment: Date): string {
  return `${moment.toISOString().slice(0, -1)}000`;
}

/**
 * Reports to the server periodically that the agent is alive. Never throws, never runs two reports at once; retries after a
 * failure (1 s, doubling up to the interval). Failures are logged once until reports succeed again.
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
      if (missed > 0) log.info({ missed }, 'agent state reports succeed again');
      if (result === 'revived') {
        log.info('the server considered this agent dead');
        notify(onRevived);
      } else if (missed > 0) notify(onRecovered);
      wait = Math.max(0, began + intervalMs - performance.now());
    } catch (error) {
      if (closed) return;
      failures += 1;
      if (failures === 1) log.warn({ err: error }, 'cannot report the agent state; retrying until it succeeds');
      else log.debug({ err: error, failures }, 'cannot report the agent state');
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
