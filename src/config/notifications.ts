import { list, text } from './option.ts';

const BY_SERVER = { readBy: 'server' } as const;
const TOPIC = /^[\w.-]{1,200}$/;

/** `[oslo_messaging_notifications]`: who is notified of changes through the API, such as Ceilometer. */
export const NOTIFICATIONS = {
  driver: text(
    '',
    'how changes through the API are notified: "messagingv2" and "messaging" (without the envelope) send them to RabbitMQ, "log" ' +
      'writes them to the log; empty or "noop": not at all',
    { choices: ['', 'noop', 'log', 'messaging', 'messagingv2'] },
    BY_SERVER,
  ),
  transport_url: text(
    '',
    'RabbitMQ that takes the notifications; empty: that of [DEFAULT] transport_url',
    {},
    { ...BY_SERVER, secret: true },
  ),
  topics: list(
    ['notifications'],
    'topics that each notification is sent to: a queue TOPIC.info each, which keeps them until somebody consumes them',
    { pattern: TOPIC, hint: 'letters, digits, ".", "_" and "-"' },
    BY_SERVER,
  ),
} as const;
