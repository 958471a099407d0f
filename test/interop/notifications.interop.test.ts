import { readFileSync } from 'node:fs';
import { connect } from 'amqplib';
import { describe, expect, test } from 'vitest';
import { waitFor } from '../../src/time/wait.ts';
import { changeThings, outlineOf } from '../notifier/oslo/story.ts';
import { type Cloud, startCloud } from './cloud.ts';
import { stockObstacle } from './stock-packages.ts';

const obstacle = stockObstacle();
const OUTLINE: readonly string[] = JSON.parse(
  readFileSync(new URL('../fixtures/notifications/outline.json', import.meta.url), 'utf8'),
);

/** Returns the notifications in the queue that consumers read, once there are `count`. */
async function consume(cloud: Cloud, count: number): Promise<readonly string[]> {
  const connection = await connect(cloud.transportUrl.replace(/^rabbit:/, 'amqp:'));
  try {
    const channel = await connection.createChannel();
    const seen: string[] = [];
    await channel.consume('notifications.info', (message) => {
      const { 'oslo.message': inner } = JSON.parse(String(message?.content));
      const { event_type, payload } = JSON.parse(inner);
      seen.push(outlineOf(event_type, payload));
    });
    await waitFor(`${count} notifications`, () => seen.length >= count, { timeoutMs: 30_000, intervalMs: 100 });
    return seen;
  } finally {
    await connection.close();
  }
}

describe.skipIf(obstacle !== undefined)(obstacle ?? 'notifications', () => {
  test.each(['stock', 'neutrino'] as const)('of a %s server are those that were recorded', async (side) => {
    const cloud = await startCloud();
    try {
      const server = await cloud.server(side, {
        DEFAULT: { service_plugins: 'router,qos,trunk,segments' },
        ml2: { extension_drivers: 'port_security,dns,qos' },
        oslo_messaging_notifications: { driver: 'messagingv2' },
      });
      await changeThings(
        async (method, path, body) => (await server.api.request(method, path, body && { ...body })).body,
      );
      expect(await consume(cloud, OUTLINE.length)).toEqual(OUTLINE);
    } finally {
      await cloud.dispose();
    }
  });
});
