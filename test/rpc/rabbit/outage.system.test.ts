import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { MessageNotSent } from '../../../src/rpc/errors.ts';
import { type RabbitMq, startRabbitMq } from '../../support/rabbitmq.ts';
import { startWire } from './wire.ts';
import { describeWithBroker, keptLog, rabbitConfig, Transports } from './world.ts';

let broker: RabbitMq;
beforeAll(async () => {
  broker = await startRabbitMq();
}, 300_000);
afterAll(async () => {
  await broker?.dispose();
});

const transports = new Transports();
let topic: string;
beforeEach(() => {
  topic = `t${randomUUID().slice(0, 8)}`;
});
afterEach(async () => {
  await transports.close();
});

const eventually = (look: () => void) => vi.waitFor(look, { timeout: 60_000, interval: 50 });

describeWithBroker('a broker', () => {
  test('that was away: what was sent while it was reaches a server that needs longer to come back', async () => {
    const wire = await startWire(broker.port);
    const config = rabbitConfig(broker.transportUrl());
    const client = transports.connect(config);
    const server = transports.connect(rabbitConfig(broker.transportUrl({ port: wire.port })));
    const seen: unknown[] = [];
    const note = ({ n }: Readonly<Record<string, unknown>>) => void seen.push(n);
    await server.serve(topic, 'host-1', { version: '1.0', methods: { note } });
    await client.cast({ topic, server: 'host-1' }, 'note', { n: 0 });
    await eventually(() => expect(seen).toEqual([0]));
    wire.refuse(true);
    await broker.stop();
    const sent = client.cast({ topic, server: 'host-1' }, 'note', { n: 1 });
    await broker.start();
    // The client is back, the queue is not: its server cannot reach the broker yet.
    await client.cast({ topic: 'other', fanout: true }, 'x', {});
    wire.refuse(false);
    await sent;
    await eventually(() => expect(seen).toEqual([0, 1]));
    // A queue that stays away is given up in the end: nobody listening is no error.
    await client.cast({ topic, server: 'nowhere' }, 'note', { n: 2 });
    await transports.close();
    await wire.close();
  });

  test.each(['SIGTERM', 'SIGKILL'] as const)(
    'that ends by %s and comes back: all is delivered, calls are answered',
    async (signal) => {
      const { log, at } = keptLog();
      const config = rabbitConfig(broker.transportUrl());
      const server = transports.connect(config, log);
      const client = transports.connect(config);
      const seen: unknown[] = [];
      const methods = { note: ({ n }: Readonly<Record<string, unknown>>) => void seen.push(n), who: () => 'me' };
      await server.serve(topic, 'host-1', { version: '1.0', methods });
      await client.cast({ topic, server: 'host-1' }, 'note', { n: 0 });
      expect(await client.call({ topic }, 'who', {})).toBe('me');

      await broker.stop(signal);
      const waiting = [1, 2, 3].map((n) => client.cast({ topic, server: 'host-1' }, 'note', { n }));
      const asked = client.call({ topic }, 'who', {});
      const late = client.cast({ topic }, 'note', { n: 'never' }, { timeoutMs: 100 });
      await expect(late).rejects.toThrow(MessageNotSent);
      await eventually(() => expect(at('warn').join()).toMatch(/nothing listens there/));
      await broker.start();

      await Promise.all(waiting);
      expect(await asked).toBe('me');
      // The client may be back before the server has made its queue again: then the casts went to nobody, as stock ones do.
      await client.cast({ topic, server: 'host-1' }, 'note', { n: 4 });
      await client.cast({ topic, fanout: true }, 'note', { n: 5 });
      await eventually(() => expect([...seen].sort()).toEqual([0, 1, 2, 3, 4, 5]));
      expect(at('info').filter((line) => line.includes(' lost ('))).toHaveLength(1);
      expect(at('info').filter((line) => line.includes(' again after '))).toHaveLength(1);
    },
  );

  test('that forgot what it was given: servers are told of the gap, and not of a connection that broke', async () => {
    const wire = await startWire(broker.port);
    const config = rabbitConfig(broker.transportUrl());
    const server = transports.connect(rabbitConfig(broker.transportUrl({ port: wire.port })));
    const client = transports.connect(config);
    const seen: unknown[] = [];
    const note = ({ n }: Readonly<Record<string, unknown>>) => void seen.push(n);
    let gaps = 0;
    const endpoint = { version: '1.0', methods: { note } };
    await server.serve(topic, 'host-1', endpoint, () => {
      gaps += 1;
    });
    const tell = (n: number) => client.cast({ topic, server: 'host-1' }, 'note', { n });
    await tell(0);
    await eventually(() => expect(seen).toEqual([0]));

    wire.refuse(true);
    wire.cut();
    await tell(1);
    wire.refuse(false);
    await eventually(() => expect(seen).toEqual([0, 1]));
    expect(gaps).toBe(0);

    wire.refuse(true);
    wire.cut();
    // Safe with the broker, which then goes.
    await tell(2);
    await broker.stop('SIGKILL');
    await broker.start();
    wire.refuse(false);
    await eventually(() => expect(gaps).toBe(1));
    // Whoever was told takes messages again.
    await client.cast({ topic, fanout: true }, 'note', { n: 3 });
    await eventually(() => expect(seen).toEqual([0, 1, 3]));
    expect(gaps).toBe(1);
    await transports.close();
    await wire.close();
  });

  test('that is short of memory: senders fail in their time, receivers go on, and the log tells both', async () => {
    const { log, at } = keptLog();
    const config = rabbitConfig(broker.transportUrl());
    const client = transports.connect(config, log);
    const { promise, resolve } = Promise.withResolvers<unknown>();
    await transports
      .connect(config)
      .serve(topic, 'host-1', { version: '1.0', methods: { note: ({ n }) => resolve(n) } });
    await client.cast({ topic: 'nobody' }, 'x', {});
    await broker.ctl('set_vm_memory_high_watermark', 'absolute', '1MB');
    const late = client.cast({ topic: 'nobody' }, 'x', {}, { timeoutMs: 1_000 });
    await expect(late).rejects.toThrow(
      /127.0.0.1:\d+ did not confirm it within 1000 ms; it may have arrived nevertheless/,
    );
    expect(at('warn').join()).toMatch(/accepts no messages for now/);
    const waiting = client.cast({ topic }, 'note', { n: 1 });
    await broker.ctl('set_vm_memory_high_watermark', 'absolute', '384MB');
    await waiting;
    expect(await promise).toBe(1);
    await eventually(() => expect(at('info').join()).toMatch(/accepts messages again/));
  });
});
