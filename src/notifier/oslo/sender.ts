import type { Logger } from 'pino';
import type { Config } from '../../config/options.ts';
import { ConfigError } from '../../config/parse.ts';
import type { Core } from '../../plugin/core.ts';
import { EventQueue, type EventTables } from '../event-queue.ts';
import { type EventReceiver, EventSender } from '../event-sender.ts';

type StoredNotification = EventTables['notifications'];

/**
 * Sends notifications of changes to the configured topics, or to the log, in order. `alone`: whether no other server uses the
 * database. Throws ConfigError if there is no RabbitMQ to send them to.
 */
export async function startNotificationSender(core: Core, alone: boolean): Promise<{ close(): Promise<void> }> {
  const { db, config, log } = core;
  const receiver =
    config.oslo_messaging_notifications.driver === 'log' ? new LogReceiver(log) : await broker(config, log);
  const queue = new EventQueue({ db, table: 'notifications', work: 'notifications', alone });
  const sender = new EventSender({ queue, receiver, log, intervalMs: 0 });
  db.onCommit(() => sender.wake());
  return sender;
}

async function broker(config: Config, log: Logger): Promise<EventReceiver<StoredNotification>> {
  const { DEFAULT, oslo_messaging_notifications: options } = config;
  const transport_url = options.transport_url || DEFAULT.transport_url;
  if (transport_url === '')
    throw new ConfigError(
      `[oslo_messaging_notifications] driver = ${options.driver} sends notifications to RabbitMQ: set transport_url there or in ` +
        '[DEFAULT], or driver = log',
    );
  // Imported late: a server without RabbitMQ need not wait for its client to load.
  const { NotificationPublisher } = await import('../../rpc/rabbit/notification-publisher.ts');
  const publisher = new NotificationPublisher({
    config: { ...config, DEFAULT: { ...DEFAULT, transport_url } },
    log,
    programName: 'neutrino-notifications',
    topics: options.topics,
    publisherId: `network.${DEFAULT.host}`,
    enveloped: options.driver === 'messagingv2',
  });
  return {
    name: 'the topics of notifications',
    send: (rows) =>
      publisher.send(
        rows.map((row) => ({
          messageId: row.message_id,
          eventType: row.event_type,
          timestamp: row.timestamp,
          context: JSON.parse(row.context) as Readonly<Record<string, unknown>>,
          payload: JSON.parse(row.payload) as unknown,
        })),
      ),
    close: () => publisher.close(),
  };
}

/** Writes notifications to the log. */
class LogReceiver implements EventReceiver<StoredNotification> {
  readonly name = 'the log';
  readonly #log: Logger;

  constructor(log: Logger) {
    this.#log = log;
  }

  async send(rows: readonly StoredNotification[]): Promise<void> {
    for (const { event_type, message_id, payload } of rows)
      this.#log.info({ event_type, message_id, payload: JSON.parse(payload) as unknown }, 'notification');
  }

  async close(): Promise<void> {}
}
