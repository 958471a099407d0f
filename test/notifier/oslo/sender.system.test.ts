import { readFileSync } from 'node:fs';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { startNotificationSender } from '../../../src/notifier/oslo/sender.ts';
import { waitFor } from '../../../src/time/wait.ts';
import { type BareClient, bareClient } from '../../rpc/rabbit/bare-client.ts';
import { startWire, type Wire } from '../../rpc/rabbit/wire.ts';
import { describeWithBroker, keptLog } from '../../rpc/rabbit/world.ts';
import { type CallersApi, openCallersApi } from '../../support/callers.ts';
import type { Broker } from '../../support/rabbitmq.ts';
import { sharedBroker } from '../../support/shared-services.ts';

const RECORDED = JSON.parse(
  readFileSync(new URL('../../fixtures/notifications/network.create.start.json', import.meta.url), 'utf8'),
);
const WAIT = { timeoutMs: 30_000, intervalMs: 50 };

describeWithBroker('notifications', () => {
  let broker: Broker;
  beforeAll(async () => {
    broker = await sharedBroker();
  }, 300_000);
  let bare: BareClient;
  let wire: Wire;
  let closing: (() => Promise<void>)[];
  beforeEach(async () => {
    closing = [];
    bare = await bareClient(broker);
    closing.push(() => bare.close());
    wire = await startWire(broker.port);
    closing.push(() => wire.close());
  });
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  async function start(options: { readonly topics: readonly string[]; readonly driver?: string }) {
    const api = await openCallersApi({
      DEFAULT: { host: 'controller' },
      oslo_messaging_rabbit: { rabbit_interval_max: 2 },
      oslo_messaging_notifications: {
        driver: 'messagingv2',
        transport_url: broker.transportUrl({ port: wire.port }),
        ...options,
      },
    });
    closing.push(() => api.close());
    const { log, at } = keptLog();
    const sender = await startNotificationSender({ ...api.core, log }, true);
    closing.push(() => sender.close());
    return { api, at };
  }
  const waiting = async ({ core }: CallersApi) =>
    (await core.db.kysely.selectFrom('notifications').select('id').execute()).length;
  const emptied = (api: CallersApi) => waitFor('all to be sent', async () => (await waiting(api)) === 0, WAIT);

  test('arrive as from stock Neutron, in a queue of each topic, whether or not anybody consumes', async () => {
    const { api } = await start({ topics: ['one', 'two'] });
    await api.create('/networks', 'network', { name: 'n' });
    await emptied(api);
    for (const topic of ['one', 'two']) {
      const queue = await bare.read(`${topic}.info`);
      const { exchange, properties, payload } = await queue.next();
      expect({ exchange, properties }).toEqual({ exchange: RECORDED.exchange, properties: RECORDED.properties });
      expect(Object.keys(payload).sort()).toEqual(Object.keys(RECORDED.payload).sort());
      const { event_type, publisher_id, priority } = RECORDED.payload;
      expect(payload).toMatchObject({ event_type, publisher_id, priority });
      expect(payload.payload).toEqual({ network: { name: 'n' } });
      expect((await queue.next()).payload.event_type).toBe('network.create.end');
    }
  });

  test('have no envelope with driver = messaging', async () => {
    const { api } = await start({ topics: ['plain'], driver: 'messaging' });
    await api.create('/networks', 'network', {});
    await emptied(api);
    const message = await bare.channel.get('plain.info', { noAck: true });
    expect(message && JSON.parse(message.content.toString())).toMatchObject({ event_type: 'network.create.start' });
  });

  test('wait, in order, while RabbitMQ is away, which the log says once', async () => {
    wire.refuse(true);
    const { api, at } = await start({ topics: ['late'] });
    for (let n = 0; n < 5; n++) await api.create('/networks', 'network', { name: `n${n}` });
    expect(await waiting(api)).toBe(10);
    expect(at('error').length).toBeLessThanOrEqual(1);
    wire.refuse(false);
    await emptied(api);
    const queue = await bare.read('late.info');
    const ends: unknown[] = [];
    while (ends.length < 5) {
      const { event_type, payload } = (await queue.next()).payload as {
        event_type: string;
        payload: { network: { name: string } };
      };
      if (event_type === 'network.create.end') ends.push(payload.network.name);
    }
    expect(ends).toEqual(['n0', 'n1', 'n2', 'n3', 'n4']);
  });
});

test('without a RabbitMQ, the start says what to configure', async () => {
  const api = await openCallersApi({ oslo_messaging_notifications: { driver: 'messagingv2' } });
  await expect(startNotificationSender(api.core, true)).rejects.toThrow(
    /driver = messagingv2 sends notifications to RabbitMQ: set transport_url/,
  );
  await api.close();
});

test('driver = log writes them to the log', async () => {
  const api = await openCallersApi({ oslo_messaging_notifications: { driver: 'log' } });
  const { log, lines } = keptLog();
  const sender = await startNotificationSender({ ...api.core, log }, true);
  await api.create('/networks', 'network', { name: 'n' });
  const said = () => lines.filter(({ msg }) => msg === 'notification').map(({ event_type }) => event_type);
  await waitFor('two lines', () => said().length === 2, WAIT);
  expect(said()).toEqual(['network.create.start', 'network.create.end']);
  await sender.close();
  await api.close();
});
