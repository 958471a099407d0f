import type { Core } from '../../plugin/core.ts';
import { EventQueue } from '../event-queue.ts';
import { EventSender } from '../event-sender.ts';
import { NovaApi } from './api.ts';

export interface NovaSenderOptions {
  readonly core: Core;
  /** Whether no other server uses the database. */
  readonly alone: boolean;
  /** Default: 100 000; Nova has long since given up on older events. */
  readonly maxWaiting?: number;
}

/** Sends events about ports to Nova, in order for each port. Throws ConfigError for options that are missing. */
export function startNovaSender({ core, alone, maxWaiting }: NovaSenderOptions): { close(): Promise<void> } {
  const { db, config, log } = core;
  const receiver = new NovaApi(config, log);
  const queue = new EventQueue({ db, table: 'novaevents', work: 'nova_events', alone });
  const intervalMs = config.DEFAULT.send_events_interval * 1000;
  const sender = new EventSender({ queue, receiver, log, intervalMs, maxWaiting });
  db.onCommit(() => sender.wake());
  // So that a wrong configuration shows in the log at once, and not at the first event.
  receiver.logIn().catch(({ message: reason }: Error) => log.error({ reason }, 'cannot log in to notify Nova'));
  return sender;
}
